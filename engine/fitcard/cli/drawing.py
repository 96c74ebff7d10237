"""Answers, rankings and explanations drawn in a terminal; all words of an answer come from the messages.

Commands import it where they draw: completion and JSON do without rich.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from fitcard.cli.output import new_console
from fitcard.reports import format_derivation, format_step_value, format_value
from fitcard.rulebook.messages import Messages

Data = Mapping[str, Any]  # an answer, ranking or explanation, or an object in it
Parts = Iterator[RenderableType]
GRADE_STYLES = {"S": "bold green", "A": "green", "B": "cyan", "C": "yellow", "D": "magenta", "F": "bold red"}
MEMORY_PARTS = (("weights", "blue"), ("kv_cache", "cyan"), ("runtime", "magenta"), ("headroom", "bright_black"))
DEFINITION_KEYS = (
    "value", "expr", "by", "bounds", "results", "knots", "rows", "otherwise", "of", "same", "having", "calibrate",
    "fitted",
)  # fmt: skip
BAR_WIDTH = 48  # characters
SHORT_HASH = 12  # characters
INDENT = 4  # spaces
WEB_FONTS = re.compile(r"@font-face \{.*?\}", re.DOTALL)  # removed: an SVG picture must not load anything


def draw_answer(answer: Data, messages: Messages, save_as: str | None = None) -> None:
    """Prints an answer as a page, and saves it as an SVG picture in the file `save_as`. Raises OSError.

    Sections that the layout of the answer leaves out are not drawn.
    """
    console, labels = new_console(record=save_as is not None), _Labels(messages)
    for keys, section in SECTIONS:
        if _has_all(answer, keys):
            for part in section(answer, labels):
                console.print(part, crop=False)
    if save_as is not None:
        picture = WEB_FONTS.sub("", console.export_svg(title=_title(answer)))
        Path(save_as).write_text(picture, "utf-8")


def draw_ranking(ranking: Data) -> None:
    """Prints a ranking: the table of its rows, then the greatest strength and weakness of each row."""
    console = new_console()
    console.print(Text(ranking["title"], style="bold"))
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("", justify="right")
    for column in ranking["columns"]:
        table.add_column(column)
    for row in ranking["rows"]:
        table.add_row(str(row["rank"]), *row["cells"])
    console.print(table)
    for row in ranking["rows"]:
        sentences = [row[key]["sentence"] for key in ("praise", "blame") if row[key]]
        if sentences:
            console.print(Text.assemble(f"{row['rank']} ", (" ".join(sentences), "dim")))
    shown, ranked, entries = len(ranking["rows"]), ranking["ranked"], ranking["entries"]
    console.print(Text(f"shown: {shown}, ranked: {ranked}, entries: {entries}", style="dim"))


def draw_rule(detail: Data) -> None:
    """Prints a definition with its reference, dependencies and dependents."""
    console = new_console()
    location = f"{detail['file']}:{detail['line']}"
    console.print(
        Text.assemble((detail["name"], "bold cyan"), f"  {detail['kind']}, {detail['unit']}  ", (location, "dim"))
    )
    console.print(Text(detail["about"]))
    for key in DEFINITION_KEYS:
        if detail.get(key) not in (None, {}, []):
            console.print(Text.assemble((f"  {key}: ", "dim"), (_format_nested(detail[key]), "bold")))
    for key, value in detail.get("reference", {}).items():
        console.print(Text.assemble((f"  {key}: ", "dim"), str(value)))
    for arrow, key in (("<-", "reads"), ("->", "read_by")):
        for name in detail[key]:
            console.print(Text.assemble((f"  {arrow} ", "dim"), (name, "cyan")))


def draw_tree(steps: Iterable[Data], roots: Iterable[str] = ()) -> None:
    """Prints a trace as trees, each step above its inputs. Default roots: the steps that are no input of another."""
    by_name = {step["name"]: step for step in steps}
    inputs = {name for step in by_name.values() for name in step.get("inputs", {})}
    console, drawn = new_console(), set[str]()
    for root in tuple(roots) or tuple(name for name in by_name if name not in inputs):
        tree = Tree(_step_line(by_name[root]), guide_style="dim")
        _add_inputs(tree, by_name[root], by_name, drawn)
        console.print(tree)


class _Labels:
    """Labels by key, called with the values for their placeholders."""

    def __init__(self, messages: Messages) -> None:
        self.messages = messages

    def __call__(self, key: str, **values: Any) -> str:
        return self.messages.label(key, **values)

    def number(self, key: str, value: float) -> str:
        return self.messages.label(key, value=value)


def _has_all(answer: Data, keys: str) -> bool:
    """Whether an answer has all of these keys, separated by spaces; `a.b` is the key `b` of the object `a`."""
    for key in keys.split():
        outer, _, inner = key.partition(".")
        if outer not in answer or (inner and not (isinstance(answer[outer], Mapping) and inner in answer[outer])):
            return False
    return True


def _title(answer: Data) -> str:
    return " · ".join(answer[axis]["name"] for axis in ("model", "device") if _has_all(answer, f"{axis}.name"))


def _paragraph(title: str, sentence: str) -> Text:
    return Text.assemble((title, "bold"), "  ", sentence)


def _headline(answer: Data, labels: _Labels) -> Parts:
    """The verdict, in a panel with grade, score and fit where the answer has them."""
    if not _has_all(answer, "model.name device.name question fit grade score"):
        yield Text(answer["verdict"], style="bold")
        return
    question = answer["question"]
    subtitle = f"{question['quant']} · {question['workload']} · {question['mode']} · {question['profile']}"
    style = GRADE_STYLES.get(answer["grade"], "white")
    score = f"{labels('score')} {format_value(round(answer['score']))}"
    grade, label = (f" {answer['grade']} ", f"{style} reverse"), (answer["fit"]["label"], style)
    fit = Text.assemble(grade, "  ", label, "  ", (score, "dim"))
    yield Panel(
        Group(fit, Text(answer["verdict"])), title=Text(_title(answer)), subtitle=Text(subtitle), title_align="left"
    )


def _notes(answer: Data, _: _Labels) -> Parts:
    for note in answer["notes"]:
        yield Text(note["sentence"], style="yellow")


def _overrides(answer: Data, labels: _Labels) -> Parts:
    for override in answer["set"]:
        value, instead_of = (format_step_value({**override, "value": override[key]}) for key in ("value", "instead_of"))
        yield Text(labels("what_if", name=override["name"], value=value, instead_of=instead_of), style="bold yellow")


def _core_figures(answer: Data, labels: _Labels) -> Parts:
    memory, offload = answer["memory"], answer["offload"]
    figures = [
        (labels("decode"), labels.number("tok_s", answer["decode_tok_s"])),
        (labels("ttft"), labels.number("ms", answer["ttft_ms"])),
        (labels("safe_context"), labels.number("tokens", answer["safe_context_tokens"])),
        (labels("memory"), labels("gb_of", value=memory["needed_gb"], of=memory["usable_gb"])),
        (labels("offload"), labels.number("percent", offload["shown_percent"])),
        (labels("bandwidth"), answer["device"]["bandwidth"]),
    ]
    grid = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for label, _ in figures:
        grid.add_column(label, header_style="dim")
    grid.add_row(*[Text(value, style="bold") for _, value in figures])
    yield grid


def _other_figures(answer: Data, _: _Labels) -> Parts:
    for figure in answer["figures"].values():
        yield Text.assemble((figure["label"], "dim"), "  ", (figure["text"], "bold"))


def _confidence(answer: Data, labels: _Labels) -> Parts:
    """The ranges of decode and TTFT, the evidence for them, and the measured runs of the same combination."""
    if confidence := answer["confidence"]:
        decode, ttft = confidence["decode_tok_s"], confidence["ttft_ms"]
        ends = {"slowest": decode["low"], "fastest": decode["high"], "earliest": ttft["low"], "latest": ttft["high"]}
        yield Text(labels("range", share=confidence["share"], **ends), style="dim")
        yield ""
        yield _paragraph(confidence["label"], confidence["sentence"])
        for run in confidence["measured"]:
            yield Text(labels("measured_run", **{**run, "source": ", ".join(run["source"])}))


def _memory(answer: Data, labels: _Labels) -> Parts:
    """A bar of the needed memory with a mark at the usable memory, and a legend with the size of each part."""
    memory = answer["memory"]
    width = max(memory["needed_gb"], memory["usable_gb"])  # GB
    bar = Text()
    legend = Text()
    for part, style in MEMORY_PARTS:
        size = memory[f"{part}_gb"]
        bar.append("█" * round(size / width * BAR_WIDTH), style)
        legend.append("■ ", style)
        legend.append(f"{labels(part)} {labels.number('gb', size)}  ")
    bar.truncate(BAR_WIDTH, pad=True)
    end = min(round(memory["usable_gb"] / width * BAR_WIDTH), BAR_WIDTH)
    mark = Text(" " * max(0, end - 1) + "▲ " + labels.number("gb", memory["usable_gb"]), style="dim")
    over = memory["over_gb"]
    note = labels("over_capacity", over=over) if over > 0 else labels("under_capacity", under=-over)
    yield Group("", Text.assemble(bar, "  ", (note, "red" if over > 0 else "green")), mark, legend, "")


def _bottleneck(answer: Data, _: _Labels) -> Parts:
    yield _paragraph(answer["bottleneck"]["label"], answer["bottleneck"]["sentence"])


def _advice(answer: Data, _: _Labels) -> Parts:
    yield _paragraph(answer["advice"]["title"], answer["advice"]["sentence"])


def _ranking(answer: Data, labels: _Labels) -> Parts:
    ranking = {key: answer["ranking"][key] for key in ("name", "about", "score")}
    yield Text(labels("ranking", **ranking), style="dim")


def _quality(answer: Data, _: _Labels) -> Parts:
    yield Text(f"{answer['quality']['label']}: {answer['quality']['sentence']}", style="dim")
    yield ""


def _table(title: str, columns: Iterable[tuple[str, str]]) -> Table:
    """An empty table; columns are pairs of a heading and `<` or `>` for their alignment."""
    table = Table(
        title=title, title_justify="left", title_style="bold", header_style="dim", box=None, padding=(0, 2, 0, 0)
    )
    for name, side in columns:
        # fold: text of some languages has no spaces to wrap at
        table.add_column(name, justify="right" if side == ">" else "left", overflow="fold")
    return table


def _grade(item: Data) -> Text:
    return Text(item["grade"], style=GRADE_STYLES.get(item["grade"], "white"))


def _workloads(answer: Data, labels: _Labels) -> Parts:
    names = [("workload", "<"), ("grade", "<"), ("fit", "<"), ("decode", ">"), ("ttft", ">"), ("context", ">")]
    table = _table(labels("workloads_title"), [(labels(name), side) for name, side in names])
    for item in answer["workloads"]:
        is_current = item["workload"] == answer["question"]["workload"]
        table.add_row(
            item["name"],
            _grade(item),
            item["fit"]["label"],
            labels.number("tok_s", item["decode_tok_s"]),
            labels.number("ms", item["ttft_ms"]),
            labels.number("tokens", item["safe_context_tokens"]),
            style="bold" if is_current else "",
        )
    yield Group(table, "")


def _quants(answer: Data, labels: _Labels) -> Parts:
    names = [("quant", "<"), ("bits", ">"), ("weights", ">"), ("quality", "<"), ("fit", "<")]
    table = _table(labels("quants_title"), [(labels(name), side) for name, side in names])
    for item in answer["quants"]:
        is_current = item["quant"] == answer["question"]["quant"]
        table.add_row(
            item["quant"],
            format_value(item["bits"]),
            labels.number("gb", item["vram_gb"]),
            item["quality"],
            Text.assemble(_grade(item), format_value(round(item["score"]))),
            style="bold" if is_current else "",
        )
    usable = answer["memory"]["usable_gb"]
    question_fields = {"model": answer["model"]["name"], "device": answer["device"]["name"]}
    caption = labels("quants_caption", **question_fields, usable=usable, context=answer["quants_context_tokens"])
    yield Group(table, Text(caption, style="dim"), answer["recommended_quant"]["sentence"], "")


def _ways(answer: Data, labels: _Labels) -> Parts:
    """Changes that suffice on this device, and other devices that do, each with its effects."""
    if not answer["ways"]:
        return
    lines = [Text(labels("ways_title"), style="bold")]
    for way in answer["ways"]:
        price = f" {labels.number('usd', way['price']['usd'])}" if way.get("price") else ""
        effects = " ".join(effect["sentence"] for effect in way["effects"])
        grade = Text.assemble((f"  {labels('grade')} ", "dim"), _grade(way))
        lines.append(Text.assemble(f"{way['title']}{price}  ", (effects, "dim"), grade))
    yield Group(*lines, "")


def _upgrades(answer: Data, labels: _Labels) -> Parts:
    if not answer["upgrades"]:
        yield Group(Text(labels("upgrades_title"), style="bold"), labels("no_upgrades"), "")
        return
    names = [("device", "<"), ("price", ">"), ("grade", "<"), ("changes", "<")]
    table = _table(labels("upgrades_title"), [(labels(name), side) for name, side in names])
    for item in answer["upgrades"]:
        changes = "\n".join(effect["sentence"] for effect in item["effects"])
        table.add_row(item["name"], labels.number("usd", item["price_usd"]), _grade(item), changes)
    yield Group(table, "")


def _settings(answer: Data, labels: _Labels) -> Parts:
    if settings := answer["settings"]:
        title = Text.assemble((labels("settings_title"), "bold"), " ", settings["sentence"])
        commands = filter(None, (settings["prepare"], settings["command"]))  # unwrapped, so that they can be copied
        yield Group(title, *(Text(line, no_wrap=True, overflow="ignore") for line in commands), "")


def _faq(answer: Data, labels: _Labels) -> Parts:
    yield Text(labels("faq_title"), style="bold")
    for pair in answer["faq"]:
        yield _paragraph(pair["question"], pair["answer"])


def _embed(answer: Data, labels: _Labels) -> Parts:
    yield Text(f"\n{labels('embed_title')}", style="bold")
    yield Text(answer["embed"]["html"])


def _rules(answer: Data, labels: _Labels) -> Parts:
    rules = answer["rules"]
    title = labels("rules_title", **{**rules, "sha256": rules["sha256"][:SHORT_HASH]})
    yield Text(f"\n{title}", style="dim")


def _trace(answer: Data, labels: _Labels) -> Parts:
    """Up to two lines per step: its value and location, then its derivation."""
    yield Text(f"\n{labels('trace_title')}", style="bold")
    for step in answer["trace"]:
        value, location = (format_step_value(step), "bold"), (f"  {_location(step)}", "dim")
        yield Text.assemble((step["name"], "cyan"), " = ", value, location)
        if derivation := format_derivation(step):
            yield Padding(Text(derivation, style="dim"), (0, 0, 0, INDENT), expand=False)


# The sections of a page in order, each with the keys of an answer that it requires.
SECTIONS: tuple[tuple[str, Callable[[Data, _Labels], Parts]], ...] = (
    ("verdict", _headline),
    ("notes", _notes),
    ("set", _overrides),
    ("memory offload device.bandwidth decode_tok_s ttft_ms safe_context_tokens", _core_figures),
    ("figures", _other_figures),
    ("confidence", _confidence),
    ("memory", _memory),
    ("bottleneck", _bottleneck),
    ("advice", _advice),
    ("ranking", _ranking),
    ("quality", _quality),
    ("workloads question.workload", _workloads),
    ("quants question.quant recommended_quant quants_context_tokens memory model.name device.name", _quants),
    ("ways", _ways),
    ("upgrades", _upgrades),
    ("settings", _settings),
    ("faq", _faq),
    ("embed", _embed),
    ("rules.version rules.profile", _rules),
    ("trace", _trace),
)


def _location(step: Data) -> str:
    return f"{step['file']}:{step['line']}" if "file" in step else step["kind"]


def _add_inputs(tree: Tree, step: Data, by_name: Mapping[str, Data], drawn: set[str]) -> None:
    """Adds the inputs of a step as branches; one that was `drawn` before is repeated without its own inputs."""
    drawn.add(step["name"])
    for name in step.get("inputs", {}):
        part = by_name[name]
        is_repeated = name in drawn and bool(part.get("inputs"))
        line = _step_line(part)
        branch = tree.add(Text.assemble(line, (" ...", "dim")) if is_repeated else line)
        if not is_repeated:
            _add_inputs(branch, part, by_name, drawn)


def _step_line(step: Data) -> Text:
    derivation = format_derivation(step)
    arrow = f"  <- {derivation}" if derivation else ""
    source = ", ".join(step.get("source", ()))
    return Text.assemble(
        (step["name"], "cyan"),
        " = ",
        (format_step_value(step), "bold"),
        (f"{arrow}  {_location(step)}", "dim"),
        (f"  {source}", "dim italic"),
    )


def _format_nested(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_format_nested(part)}" for key, part in value.items())
    if isinstance(value, list):
        return f"[{', '.join(_format_nested(part) for part in value)}]"
    return format_value(value)
