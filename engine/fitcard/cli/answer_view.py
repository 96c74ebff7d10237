"""An answer drawn in a terminal. It knows the shape of an answer, and takes every word from the messages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from fitcard.reports import format_value, origin, with_unit
from fitcard.rulebook.messages import Messages


def any_answer(answer: Mapping[str, Any]) -> RenderableType:
    """The whole answer."""
    grid = _any_table(show_header=False)
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    for key, part in answer.items():
        grid.add_row(key, _any_part(part))
    return grid


def _any_part(part: Any) -> RenderableType:
    if isinstance(part, Mapping):
        return any_answer(part)
    if isinstance(part, list) and part and all(isinstance(item, Mapping) for item in part):
        return _any_rows(part)
    return Text(", ".join(map(format_value, part)) if isinstance(part, list) else format_value(part))


def _any_rows(items: Sequence[Mapping[str, Any]]) -> RenderableType:
    table = _any_table()
    keys = dict.fromkeys(key for item in items for key in item)
    for key in keys:
        table.add_column(key, header_style="dim", overflow="fold")
    for item in items:
        table.add_row(*[_any_part(item.get(key)) for key in keys])
    return table


def _any_table(*, show_header: bool = True) -> Table:
    return Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=show_header)


GRADE_STYLES = {"S": "bold green", "A": "green", "B": "cyan", "C": "yellow", "D": "magenta", "F": "bold red"}
MEMORY_PARTS = (("weights", "blue"), ("kv_cache", "cyan"), ("runtime", "magenta"), ("headroom", "bright_black"))
PARTS = frozenset((
    "model", "device", "question", "verdict", "notes", "fit", "grade", "score", "memory", "offload", "confidence",
    "bottleneck", "advice", "quality", "ranking", "workloads", "quants", "ways", "upgrades", "settings", "faq", "embed",
))  # fmt: skip
BAR_WIDTH = 48
SHORT_HASH = 12
INDENT = 4
WEB_FONTS = re.compile(r"@font-face \{.*?\}", re.DOTALL)  # a picture fetches nothing; any monospace font will do
Answer = Mapping[str, Any]


def draw_answer(answer: Answer, messages: Messages, save_as: str | None = None) -> None:
    """The whole page, on standard output; also an SVG picture in the file `save_as`. Raises OSError for it.

    An answer about something else is drawn as it is.
    """
    console = Console(record=save_as is not None, highlight=False)
    known = answer.keys() >= PARTS
    if known:
        _draw(console, answer, _Words(messages))
    else:
        console.print(any_answer(answer))
    if save_as is not None:
        title = f"{answer['model']['name']} · {answer['device']['name']}" if known else ""
        picture = WEB_FONTS.sub("", console.export_svg(title=title))
        Path(save_as).write_text(picture, "utf-8")


def _draw(console: Console, answer: Answer, words: _Words) -> None:
    console.print(_head(answer, words))
    for note in answer["notes"]:
        console.print(Text(note["sentence"], style="yellow"))
    for override in answer.get("set", ()):
        value, instead_of = (with_unit({**override, "value": override[key]}) for key in ("value", "instead_of"))
        what_if = words("what_if", name=override["name"], value=value, instead_of=instead_of)
        console.print(Text(what_if, style="bold yellow"))
    console.print(_facts(answer, words))
    for figure in answer["figures"].values():
        console.print(Text.assemble((figure["label"], "dim"), "  ", (figure["text"], "bold")))
    if answer["confidence"]:
        console.print(_confidence(answer["confidence"], words))
    console.print(_memory(answer, words))
    console.print(_said(answer["bottleneck"]["label"], answer["bottleneck"]["sentence"]))
    console.print(_said(answer["advice"]["title"], answer["advice"]["sentence"]))
    ranking = {key: answer["ranking"][key] for key in ("name", "about", "score")}
    console.print(Text(words("ranking", **ranking), style="dim"))
    console.print(Text(f"{answer['quality']['label']}: {answer['quality']['sentence']}", style="dim"))
    console.print()
    console.print(_workloads(answer, words))
    console.print(_quants(answer, words))
    console.print(_ways(answer, words))
    console.print(_upgrades(answer, words))
    if answer["settings"]:
        console.print(Text(words("settings_title"), style="bold"), answer["settings"]["sentence"])
        for line in filter(None, (answer["settings"]["prepare"], answer["settings"]["command"])):
            console.print(line, markup=False, soft_wrap=True)
        console.print()
    console.print(Text(words("faq_title"), style="bold"))
    for pair in answer["faq"]:
        console.print(_said(pair["question"], pair["answer"]))
    console.print(Text(f"\n{words('embed_title')}", style="bold"))
    console.print(answer["embed"]["html"], markup=False)
    rules = answer["rules"]
    line = words("rules_title", **{**rules, "sha256": rules["sha256"][:SHORT_HASH]})
    console.print(Text(f"\n{line}", style="dim"))
    if "trace" in answer:
        console.print(_trace(answer["trace"], words))


def _said(title: str, sentence: str) -> Text:
    return Text.assemble((title, "bold"), "  ", sentence)


class _Words:
    """Labels by key, and numbers written by them."""

    def __init__(self, messages: Messages) -> None:
        self.messages = messages

    def __call__(self, key: str, **values: Any) -> str:
        return self.messages.label(key, **values)

    def number(self, key: str, value: float) -> str:
        return self.messages.label(key, value=value)


def _head(answer: Answer, words: _Words) -> RenderableType:
    title = f"{answer['model']['name']} · {answer['device']['name']}"
    question = answer["question"]
    subtitle = f"{question['quant']} · {question['workload']} · {question['mode']} · {question['profile']}"
    style = GRADE_STYLES.get(answer["grade"], "white")
    score = f"{words('score')} {format_value(round(answer['score']))}"
    grade, label = (f" {answer['grade']} ", f"{style} reverse"), (answer["fit"]["label"], style)
    fit = Text.assemble(grade, "  ", label, "  ", (score, "dim"))
    return Panel(Group(fit, Text(answer["verdict"])), title=title, subtitle=subtitle, title_align="left")


def _facts(answer: Answer, words: _Words) -> RenderableType:
    memory, offload = answer["memory"], answer["offload"]
    facts = [
        (words("decode"), words.number("tok_s", answer["decode_tok_s"])),
        (words("ttft"), words.number("ms", answer["ttft_ms"])),
        (words("safe_context"), words.number("tokens", answer["safe_context_tokens"])),
        (words("memory"), words("gb_of", value=memory["needed_gb"], of=memory["usable_gb"])),
        (words("offload"), words.number("percent", offload["shown_percent"])),
        (words("bandwidth"), answer["device"]["bandwidth"]),
    ]
    grid = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for label, _ in facts:
        grid.add_column(label, header_style="dim")
    grid.add_row(*[Text(value, style="bold") for _, value in facts])
    return grid


def _confidence(confidence: Answer, words: _Words) -> RenderableType:
    """The range, what it rests on, and the measured runs of the very same combination."""
    decode, first = confidence["decode_tok_s"], confidence["ttft_ms"]
    ends = {"slowest": decode["low"], "fastest": decode["high"], "earliest": first["low"], "latest": first["high"]}
    measured = ({**run, "source": ", ".join(run["source"])} for run in confidence["measured"])
    runs = [Text(words("measured_run", **run)) for run in measured]
    said = _said(confidence["label"], confidence["sentence"])
    return Group(Text(words("range", share=confidence["share"], **ends), style="dim"), "", said, *runs)


def _memory(answer: Answer, words: _Words) -> RenderableType:
    """A bar of what is needed, with a mark where the usable memory ends, and its parts in figures below."""
    memory = answer["memory"]
    whole = max(memory["needed_gb"], memory["usable_gb"])
    bar = Text()
    legend = Text()
    for part, style in MEMORY_PARTS:
        size = memory[f"{part}_gb"]
        bar.append("█" * round(size / whole * BAR_WIDTH), style)
        legend.append("■ ", style)
        legend.append(f"{words(part)} {words.number('gb', size)}  ")
    bar.truncate(BAR_WIDTH, pad=True)
    end = min(round(memory["usable_gb"] / whole * BAR_WIDTH), BAR_WIDTH)
    mark = Text(" " * max(0, end - 1) + "▲ " + words.number("gb", memory["usable_gb"]), style="dim")
    over = memory["over_gb"]
    note = words("over_capacity", over=over) if over > 0 else words("under_capacity", under=-over)
    return Group("", Text.assemble(bar, "  ", (note, "red" if over > 0 else "green")), mark, legend, "")


def _table(title: str, columns: Iterable[tuple[str, str]]) -> Table:
    table = Table(
        title=title, title_justify="left", title_style="bold", header_style="dim", box=None, padding=(0, 2, 0, 0)
    )
    for name, justify in columns:
        table.add_column(name, justify="right" if justify == ">" else "left", overflow="fold")  # no spaces in some
    return table


def _grade(item: Answer) -> Text:
    return Text(item["grade"], style=GRADE_STYLES.get(item["grade"], "white"))


def _workloads(answer: Answer, words: _Words) -> RenderableType:
    names = [("workload", "<"), ("grade", "<"), ("fit", "<"), ("decode", ">"), ("ttft", ">"), ("context", ">")]
    table = _table(words("workloads_title"), [(words(name), side) for name, side in names])
    for item in answer["workloads"]:
        asked = item["workload"] == answer["question"]["workload"]
        table.add_row(
            item["name"],
            _grade(item),
            item["fit"]["label"],
            words.number("tok_s", item["decode_tok_s"]),
            words.number("ms", item["ttft_ms"]),
            words.number("tokens", item["safe_context_tokens"]),
            style="bold" if asked else "",
        )
    return Group(table, "")


def _quants(answer: Answer, words: _Words) -> RenderableType:
    names = [("quant", "<"), ("bits", ">"), ("weights", ">"), ("quality", "<"), ("fit", "<")]
    table = _table(words("quants_title"), [(words(name), side) for name, side in names])
    for item in answer["quants"]:
        asked = item["quant"] == answer["question"]["quant"]
        table.add_row(
            item["quant"],
            format_value(item["bits"]),
            words.number("gb", item["vram_gb"]),
            item["quality"],
            Text.assemble(_grade(item), format_value(round(item["score"]))),
            style="bold" if asked else "",
        )
    usable = answer["memory"]["usable_gb"]
    question_fields = {"model": answer["model"]["name"], "device": answer["device"]["name"]}
    caption = words("quants_caption", **question_fields, usable=usable, context=answer["quants_context_tokens"])
    return Group(table, Text(caption, style="dim"), answer["recommended_quant"]["sentence"], "")


def _ways(answer: Answer, words: _Words) -> RenderableType:
    """What is enough without another device, and which other would be, each with what comes of it."""
    if not answer["ways"]:
        return Group()
    lines = [Text(words("ways_title"), style="bold")]
    for way in answer["ways"]:
        price = f" {words.number('usd', way['price']['usd'])}" if way.get("price") else ""
        effects = " ".join(effect["sentence"] for effect in way["effects"])
        grade = Text.assemble((f"  {words('grade')} ", "dim"), _grade(way))
        lines.append(Text.assemble(f"{way['title']}{price}  ", (effects, "dim"), grade))
    return Group(*lines, "")


def _upgrades(answer: Answer, words: _Words) -> RenderableType:
    if not answer["upgrades"]:
        return Group(Text(words("upgrades_title"), style="bold"), words("no_upgrades"), "")
    names = [("device", "<"), ("price", ">"), ("grade", "<"), ("changes", "<")]
    table = _table(words("upgrades_title"), [(words(name), side) for name, side in names])
    for item in answer["upgrades"]:
        changes = "\n".join(effect["sentence"] for effect in item["effects"])
        table.add_row(item["name"], words.number("usd", item["price_usd"]), _grade(item), changes)
    return Group(table, "")


def _trace(steps: Iterable[Mapping[str, Any]], words: _Words) -> RenderableType:
    """Two lines for each step: the value, then what it is made of and where that is written."""
    lines: list[RenderableType] = [Text(f"\n{words('trace_title')}", style="bold")]
    for step in steps:
        where = f"{step['file']}:{step['line']}" if "file" in step else step["kind"]
        lines.append(Text.assemble((step["name"], "cyan"), " = ", (with_unit(step), "bold"), ("  " + where, "dim")))
        if origin(step):
            lines.append(Padding(Text(origin(step), style="dim"), (0, 0, 0, INDENT), expand=False))
    return Group(*lines)
