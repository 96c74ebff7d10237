"""fitcard: will this language model run on this hardware, how fast, how good is that, and what would make it better?

    >>> import fitcard
    >>> answer = fitcard.ask("qwen-3-14b", "m1-16gb", workload="chat")
    >>> answer.grade, answer.decode_tok_s, answer.memory.needed_gb

Layers, with imports pointing downwards only: `source` (files with positions), `catalog` (entries and names), `language`
(expressions, units, tables), `rulebook` (all of these, immutable), `compiler` (the `Engine`: programs and columns) and
`answer` (questions, answers, rankings). Features on top: `lint`, `testing`, `diff`, `calibration`, `importers`,
`sweep`, `cli`, `web` and `mcp`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # at run time imported on first use, so that `import fitcard` is fast
    from fitcard.answer.answer import Answer
    from fitcard.answer.question import Question
    from fitcard.api import ask, ask_all, ask_many, check, explain, load, rank
    from fitcard.problems import Problem, ProblemsError
    from fitcard.results import Answers, Ranking, Table
    from fitcard.rulebook.rulebook import Rulebook

__version__ = "0.1.0"
__all__ = [
    "Answer",
    "Answers",
    "Problem",
    "ProblemsError",
    "Question",
    "Ranking",
    "Rulebook",
    "Table",
    "__version__",
    "ask",
    "ask_all",
    "ask_many",
    "check",
    "explain",
    "load",
    "rank",
]
_MODULES = {  # of the names that `fitcard.api` does not define
    "Answer": "answer.answer",
    "Answers": "results",
    "Problem": "problems",
    "ProblemsError": "problems",
    "Question": "answer.question",
    "Ranking": "results",
    "Rulebook": "rulebook.rulebook",
    "Table": "results",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'fitcard' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(f"fitcard.{_MODULES.get(name, 'api')}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
