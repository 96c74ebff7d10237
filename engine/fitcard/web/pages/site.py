"""Each page, from what it is asked to its HTML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fitcard.answer.custom_entry import with_custom_entries
from fitcard.answer.explain import explain
from fitcard.answer.question import Question
from fitcard.calibration.backtest_report import as_data
from fitcard.calibration.comparison import compare
from fitcard.catalog.fields import Field
from fitcard.language.definitions import Definition
from fitcard.language.question_fields import Axis
from fitcard.problems import Problem
from fitcard.rulebook.rulebook import Rulebook
from fitcard.web.pages.address import EMBED, Address, sibling_address
from fitcard.web.pages.charts import context_curve, memory_bar
from fitcard.web.pages.drawing import PageRenderer, asset
from fitcard.web.pages.form import question_form
from fitcard.web.pages.trace_tree import trace_tree

LETTER = 7  # units of a picture that a letter of a badge takes, and the room around it
ROOM = 16


def fit_page(drawing: PageRenderer, answer: Mapping[str, Any], pair: str) -> str:
    """The page about one model on one device; `pair` names them as an address does."""
    address = drawing.here
    return drawing.render(
        "fit.html",
        a=answer,
        pair=pair,
        links=_links(answer, address.parameters),
        form=question_form(drawing, answer["question"]),
        bar=memory_bar(answer["memory"]),
        curve=context_curve(answer),
        way_address=lambda way: _of_way(answer, address, way),
        name_at=lambda keys: drawing.rulebook.layout.name_at(*keys),
    )


def _of_way(answer: Mapping[str, Any], address: Address, way: Mapping[str, Any]) -> Address:
    """The page with what a way to make it better changes."""
    there = address.at(f"/can-run/{answer['model']['id']}-on-{way['device']['id']}")
    asked, taken = answer["question"], {"quant": "quant", "kv": "kv", "gpus": "gpus", "context": "context_tokens"}
    return there.asking(**{name: way[key] for name, key in taken.items() if way[key] != asked[name]})


def _links(answer: Mapping[str, Any], parameters: Mapping[str, str]) -> dict[str, str]:
    """Where the same answer stands: as a page, as a card, with the snippet that shows it, and as a picture."""
    embed = answer["embed"]["url"]
    card = sibling_address(embed, EMBED, parameters)
    return {
        "page": sibling_address(embed, "/can-run/", parameters),
        "card": card,
        "snippet": answer["embed"]["html"].replace(embed, card),
        "picture": sibling_address(embed, "/card/", parameters, ".svg"),
    }


def why_page(drawing: PageRenderer, question: Question, name: str, answer_at: str) -> str:
    """How one number of the answer at that path came about. Raises ProblemsFound where no rule has that name."""
    engine = with_custom_entries(drawing.engine, question.custom_entries)
    rulebook = engine.rulebook
    tree = trace_tree(explain(engine, question, [name]), name)
    names = {
        axis: rulebook.catalog_of(axis).entries[entry].name
        for axis, entry in question.entries.items()
        if rulebook.question_fields.axes[axis].required
    }
    return drawing.render("why.html", tree=tree, back=drawing.here.at(answer_at), **names)


def start_page(drawing: PageRenderer, asked: Mapping[str, str] | None = None, problems: Iterable[Problem] = ()) -> str:
    """Where a question begins: what is asked often, forms, and what was wrong with the last try."""
    rulebook = drawing.rulebook
    required = [axis for axis in rulebook.question_fields.axes.values() if axis.required]
    popular = [
        {axis.name: rulebook.catalog_of(axis.name).entries[str(entries[axis.name])] for axis in required}
        for entries in rulebook.pinned.questions
    ]
    return drawing.render(
        "start.html",
        popular=popular,
        own=[(axis, _own_fields(rulebook, axis)) for axis in required if axis.custom_fields],
        problems=list(problems),
        **{axis.name: (asked or {}).get(axis.name, "") for axis in required},
    )


def _own_fields(rulebook: Rulebook, axis: Axis) -> list[Field]:
    """What an entry of one's own must say."""
    fields = rulebook.catalog_of(axis.name).fields
    return [fields[name] for name in axis.custom_fields]


def card(drawing: PageRenderer, answer: Mapping[str, Any], template: str) -> str:
    """A small page or picture of an answer: `card.html`, which may stand in any frame, or `card.svg`."""
    return drawing.render(template, a=answer, links=_links(answer, {}), style=asset("card.css"))


def badge(drawing: PageRenderer, answer: Mapping[str, Any]) -> str:
    """A line of a picture: the device, and how the model fits."""
    label, message = answer["device"]["name"], f"{answer['grade']} {answer['fit']['label']}"
    left, right = (len(text) * LETTER + ROOM for text in (label, message))
    return drawing.render("badge.svg", a=answer, label=label, message=message, left=left, right=right)


def methodology_page(drawing: PageRenderer) -> str:
    """Every formula with its unit, sentence and reference, and how near estimates come."""
    rulebook = drawing.rulebook
    files: dict[str, list[Definition]] = {}
    for definition in rulebook.rule_set.definitions.values():
        files.setdefault(definition.position.file, []).append(definition)
    compared = {name: compare(drawing.engine, name) for name in rulebook.rule_sets if rulebook.backtest}
    measured = as_data(rulebook, compared) if rulebook.backtest else None
    chapters = [
        (definitions[0].document.data, sorted(definitions, key=lambda one: one.position.line))
        for _, definitions in sorted(files.items())
    ]
    return drawing.render("methodology.html", chapters=chapters, measured=measured)


def rules_page(drawing: PageRenderer, listed: Mapping[str, Any]) -> str:
    """All rules of a profile."""
    return drawing.render("rules.html", listed=listed)


def rule_page(drawing: PageRenderer, detail: Mapping[str, Any]) -> str:
    """One rule with what it reads and what reads it."""
    return drawing.render("rule.html", rule=detail)
