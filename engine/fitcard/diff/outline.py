"""The content of a report as sections of lines and tables, independent of the output format."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fitcard.diff.questions import ABSENT_WORD
from fitcard.language.definitions import DIMENSIONLESS
from fitcard.source.text import show

Data = Mapping[str, Any]
ANSWERS, CONTRACT = "answers", "contract-changed"
MAX_NAMES = 4  # of a list; further ones are only counted
MAX_LEADING_ROWS = 15  # of a leading section, in formats with little room
MAX_FOLDED_ROWS = 25  # of other sections
MIN_WHOLE_PERCENT = 10  # shown without decimals from here
MIN_WHOLE_FIGURE = 1000
MAX_FAMILIES = 3  # at each end
NONE = "-"
SPACES = re.compile(r"\s+")
NO_ENTRY = "none"  # found by a name, or more than one


@dataclass(frozen=True)
class Span:
    """A piece of text on one line. `style` is empty, `code`, `strong`, `old`, `new` or `faint`."""

    text: str
    style: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", _visible(self.text))


def _visible(text: str) -> str:
    """Text of files on one line, without control characters; spaces at its ends stay."""
    return show(SPACES.sub(" ", text))


Line = tuple[Span, ...]


@dataclass(frozen=True)
class Column:
    """The title of a column, and whether its cells are numbers."""

    name: str
    numbers: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", _visible(self.name))


@dataclass(frozen=True)
class Table:
    """Rows with one cell per column."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Line, ...], ...]


@dataclass(frozen=True)
class Section:
    """A title, and lines followed by a table. `first` sections lead; others may be folded."""

    title: str
    lines: tuple[Line, ...] = ()
    table: Table | None = None
    first: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", _visible(self.title))

    @property
    def rows(self) -> tuple[tuple[Line, ...], ...]:
        """The rows for formats with little room."""
        count = MAX_LEADING_ROWS if self.first else MAX_FOLDED_ROWS
        return self.table.rows[:count] if self.table else ()

    @property
    def more(self) -> int:
        """The number of further rows."""
        return len(self.table.rows) - len(self.rows) if self.table else 0


@dataclass(frozen=True)
class Outline:
    """A title, summary lines, and sections, leading ones first."""

    title: Line
    summary: tuple[Line, ...]
    sections: tuple[Section, ...]


def outline(data: Data) -> Outline:
    """The outline of a report in the shape of `diff.schema.json`."""
    title = (Span(data["base"]["label"], "code"), Span(" -> "), Span(data["head"]["label"], "code"))
    sections = [
        *_problems(data),
        *_changes(data),
        *(section for impact in data["impact"] for section in _impact(impact, several=len(data["impact"]) > 1)),
        *_leads(data),
        *_contract(data),
        *_tests(data),
        *_measured(data),
        *_accuracy(data),
        *_other_changes(data),
    ]
    sections.sort(key=lambda section: not section.first)
    return Outline(title, tuple(_summary(data)), tuple(sections))


def _summary(data: Data) -> Iterator[Line]:
    counts = data["counts"]
    others = f" affecting answers, {counts['checks']} of checks, {counts['wording']} of wording"
    yield _line((Span(_count(counts[ANSWERS], "change"), "strong"), others))
    several = len(data["impact"]) > 1
    leads = data.get("leads", ())
    if leads:
        yield _line((Span(_count(len(leads), "name"), "strong"), " that people type lead to another entry"))
    for impact in data["impact"]:
        yield _impact_summary(impact, f" ({impact_title(impact)})" if several else "", named=bool(leads))
    if data["head"]["errors"]:
        errors = _count(data["head"]["errors"], "error")
        yield _line((Span(errors, "strong"), " in the new rules: nothing was computed"))
    if "contract" in data and data["contract"]["moved"]:
        yield _contract_summary(data["contract"])
    if "tests" in data:
        yield from _test_summary(data["tests"])
    measured = [quantity for quantity in data.get("measured", ()) if "before" in quantity and "after" in quantity]
    for quantity in _largest_median_changes(measured):
        profile = f" (profile {quantity['profile']})" if several else ""
        yield _error_summary(quantity, Span(quantity["title"], "strong"), "against measured runs", profile)
    for quantity in _largest_median_changes(data.get("accuracy", ())):
        yield _error_summary(quantity, Span(quantity["name"], "code"), "against figures stated in tests")


def _impact_summary(impact: Data, suffix: str, *, named: bool) -> Line:
    """The number of moved answers; if names lead to other entries, those of questions that name them by id."""
    if not impact["moved"]:
        by_id = " of a question by ids" if named else ""
        return _line((Span(f"no answer{by_id} moves", "strong"), suffix))
    share = impact["moved"] / impact["answers"] * 100
    pages = f"about {impact['pages_moved']:,} of {impact['pages']:,} pairs of {' and '.join(impact['about'])}"
    moved = Span(f"{impact['moved']:,} of {impact['answers']:,} answers move", "strong")
    return _line((moved, f" ({share:.1f} %), {pages}{suffix}"))


def _contract_summary(contract: Data) -> Line:
    unexplained = sum("why" not in case for case in contract["moved"])
    cases = Span(f"{len(contract['moved'])} of {_count(contract['cases'], 'contract case')} move", "strong")
    if not unexplained:
        return _line((cases, ", all with a reason"))
    return _line((cases, f", {unexplained} without a reason: add it with ", Span("--why", "code")))


def _largest_median_changes(quantities: Sequence[Data]) -> Iterator[Data]:
    """The quantities with the largest changes of their median error, without those that print the same."""
    for quantity in sorted(quantities, key=_median_change, reverse=True)[:MAX_NAMES]:
        if len({f"{quantity[side]['median_percent']:.1f}" for side in ("before", "after")}) > 1:
            yield quantity


def _error_summary(quantity: Data, name: Span, reference: str, suffix: str = "") -> Line:
    before, after = (quantity[side]["median_percent"] for side in ("before", "after"))
    return _line((name, f": median error {after:.1f} % {reference}, {before:.1f} % before{suffix}"))


def _median_change(quantity: Data) -> float:
    return abs(float(quantity["after"]["median_percent"] - quantity["before"]["median_percent"]))


def _test_summary(tests: Data) -> Iterator[Line]:
    broken, mended, new = (len(tests[key]) for key in ("broken", "mended", "new_failures"))
    parts = [f"{broken} newly failing"] * bool(broken) + [f"{new} new and failing"] * bool(new)
    parts += [f"{mended} passing again"] * bool(mended)
    if parts:
        yield _line((Span("rule tests: ", "strong"), ", ".join(parts)))


def _problems(data: Data) -> Iterator[Section]:
    rows = [
        (
            _line(problem["severity"]),
            _position(problem),
            _quoted(problem["message"]),
            _quoted(problem.get("hint", "")),
        )
        for problem in data["problems"]
        if problem["code"] != CONTRACT  # has its own section
    ]
    if rows:
        yield Section("Problems", table=_table(("", "position", "message", "hint"), (), rows), first=True)


def _changes(data: Data) -> Iterator[Section]:
    rows = [_change(change) for change in data["changes"] if change["effect"] == ANSWERS]
    if rows:
        columns = ("rule or entry", "change", "used by", "affects", "position")
        yield Section("Changes that affect answers", table=_table(columns, (), rows), first=True)


def _change(change: Data) -> tuple[Line, ...]:
    description: list[Span | str] = [Span(change["action"], "strong")] if change["action"] != "changed" else []
    for detail in change["details"]:
        spans = _detail(detail, change["action"]) if detail["effect"] == ANSWERS else []
        if spans:
            description += ["; " if description else "", *spans]
    still_read_by = change.get("still_read_by", ())
    readers: list[Span | str] = [_abbreviated(change.get("read_by", ())) or NONE]
    if still_read_by:
        readers = [Span("still ", "strong"), _abbreviated(still_read_by)]
    reaches = _abbreviated(change.get("reaches", ())) or ("names" if change.get("renames") else NONE)
    return (_item(change), _line(description), _line(readers), _line(reaches), _position(change))


def _item(change: Data) -> Line:
    """The kind and name of an item: `formula prefill_time`, with its profile if it is in one."""
    kind, within = change["what"], change.get("within", "")
    if kind == "entry":
        return _line((f"{within} ", Span(change["name"], "code")))
    return _line((f"{kind} ", Span(change["name"], "code"), f" of {within}" if within else ""))


def _detail(detail: Data, action: str) -> list[Span | str]:
    """A changed field; for an added or removed item only its value or formula."""
    field, old, new = detail["field"], detail["old"], detail["new"]
    if "marks" in detail:
        old_spans = _marked(_one_line(old), detail["marks"]["old"], "old")
        return [*old_spans, " -> ", *_marked(_one_line(new), detail["marks"]["new"], "new")]
    if action != "changed":
        is_value = field in ("value", "expr")
        return [f"{field} ", Span(_one_line(old if new is None else new), "code")] if is_value else []
    if old is None:
        return [f"{field} added: ", Span(_one_line(new), "new")]
    if new is None:
        return [f"{field} removed: ", Span(_one_line(old), "old")]
    step = f" ({percent(detail['percent'])})" if "percent" in detail else ""
    return [f"{field} ", Span(_one_line(old), "old"), " -> ", Span(_one_line(new), "new"), step]


def _marked(text: str, marks: Sequence[Sequence[int]], style: str) -> Iterator[Span]:
    """A formula with its differing parts in the style `old` or `new`."""
    position = 0
    for start, end in marks:
        if start > position:
            yield Span(text[position:start], "code")
        yield Span(text[start:end], style)
        position = end
    if position < len(text):
        yield Span(text[position:], "code")


def _leads(data: Data) -> Iterator[Section]:
    rows = [
        (_line(lead["catalog"]), _line(lead["typed"]), *(_code(lead[side] or NO_ENTRY) for side in ("old", "new")))
        for lead in data.get("leads", ())
    ]
    if rows:
        table = _table(("catalog", "typed", "entry before", "after"), (), rows)
        yield Section("Names that lead to another entry", table=table, first=True)


def _contract(data: Data) -> Iterator[Section]:
    cases = data.get("contract", {}).get("moved", ())
    rows = []
    for case in cases:
        moved: list[Span | str] = [Span("withdrawn", "strong")] if "withdrawn" in case else []
        for name, figure in case["figures"].items():
            moved += ["; " if moved else "", f"{name} ", Span(figure["old"], "old"), " -> ", Span(figure["new"], "new")]
        reason = case.get("why") or Span("no reason given", "strong")
        rows.append((_line(case["case"]), _line(moved), _line(reason)))
    if rows:
        is_unexplained = any("why" not in case for case in cases)
        table = _table(("case", "figures", "reason"), (), rows)
        yield Section("Contract cases that move", table=table, first=is_unexplained)


def _impact(impact: Data, *, several: bool) -> Iterator[Section]:
    suffix = f", {impact_title(impact)}" if several else ""
    entries = [
        _line(f"{axis}: {_count(len(ids[key]), 'entry', 'entries')} {key}: {_abbreviated(ids[key])}")
        for axis, ids in impact["entries"].items()
        for key in ("added", "removed")
        if ids[key]
    ]
    numbers = [output for output in impact["outputs"] if "matrix" not in output]
    if numbers or entries:
        columns = ("answers", "lowest", "10 %", "median", "90 %", "highest")
        table = _table(("output",), columns, [_number_row(output) for output in numbers]) if numbers else None
        yield Section(f"Changes of numbers{suffix}", tuple(entries), table, first=True)
    for output in impact["outputs"]:
        if "matrix" in output:
            yield Section(f"Changes of {output['name']}{suffix}", table=_matrix(output))
    movers = [_mover_row(output, mover) for output in impact["outputs"] for mover in output["movers"]]
    if movers:
        table = _table(("output", "question"), ("before", "after", ""), movers, ("first difference",))
        yield Section(f"Largest changes{suffix}", table=table)
    families = [_family_row(group) for group in impact["groups"]]
    if families:
        yield Section(f"Mean change by family{suffix}", table=_table(("output", "by", "falls", "rises"), (), families))


def impact_title(impact: Data) -> str:
    """The profile of an impact, and the axis whose entries are varied, if any."""
    return f"profile {impact['profile']}" + (f", each {impact['opened']}" if "opened" in impact else "")


def _number_row(output: Data) -> tuple[Line, ...]:
    quantiles = output.get("percent", {})
    keys = ("least", "tenth", "median", "nine_tenths", "most")
    changes = [percent(quantiles[key]) if key in quantiles else NONE for key in keys]
    return (_code(output["name"]), *map(_line, (f"{output['moved']:,}", *changes)))


def _matrix(output: Data) -> Table:
    words = output["words"]
    counts = {(pair["old"], pair["new"]): pair["answers"] for pair in output["matrix"]}
    rows = []
    for old in words:
        cells = [
            _line(Span(f"{counts[old, new]:,}", "faint" if old == new else "strong")) if (old, new) in counts else ()
            for new in words
        ]
        rows.append((_code(old), *cells))
    return _table(("before \\ after",), words, rows)


def _mover_row(output: Data, mover: Data) -> tuple[Line, ...]:
    unit = "" if output["unit"] in DIMENSIONLESS else f" {output['unit']}"
    question = " ".join(mover["question"].values()) or "every question"
    change = percent(mover["percent"]) if "percent" in mover else ""
    old, new = (ABSENT_WORD if mover[key] is None else _figure(mover[key]) + unit for key in ("old", "new"))
    return (_code(output["name"]), *map(_line, (question, old, new, change)), _code(mover["first"]))


def _family_row(group: Data) -> tuple[Line, ...]:
    moved = [row for row in group["rows"] if percent(row["percent"]) != percent(0)]
    decreases = [row for row in moved if row["percent"] < 0][:MAX_FAMILIES]
    increases = [row for row in reversed(moved) if row["percent"] > 0][:MAX_FAMILIES]
    texts = (
        ", ".join(f"{row['group']} {percent(row['percent'])}" for row in rows) or NONE
        for rows in (decreases, increases)
    )
    return (_code(group["output"]), _line(f"{group['axis']}.{group['field']}"), *map(_line, texts))


def _tests(data: Data) -> Iterator[Section]:
    tests = data.get("tests", {})
    rows = [
        (_line(result), _line(test["name"]), _quoted("; ".join(test["wrong"])), _position(test))
        for result, key in (("now fails", "broken"), ("new, fails", "new_failures"))
        for test in tests.get(key, ())
    ]
    rows += [(_line("passes again"), _line(name), _line(""), _line("")) for name in tests.get("mended", ())]
    if rows:
        yield Section("Rule tests", table=_table(("", "test", "message", "position"), (), rows))


def _measured(data: Data) -> Iterator[Section]:
    quantities = data.get("measured", ())
    several = len({quantity["profile"] for quantity in quantities}) > 1
    rows = []
    for quantity in quantities:
        cells = [
            f"{quantity[side][key]:{form}}" if side in quantity else NONE
            for key, form in (("runs", "d"), ("median_percent", ".1f"), ("ninetieth_percent", ".0f"))
            for side in ("before", "after")
        ]
        words = (quantity["title"], quantity["profile"]) if several else (quantity["title"],)
        rows.append(tuple(map(_line, (*words, *cells))))
    if rows:
        words = ("quantity", "profile") if several else ("quantity",)
        columns = ("runs before", "after", "median %", "after", "90th percentile %", "after")
        yield Section("Errors against measured runs", table=_table(words, columns, rows))


def _accuracy(data: Data) -> Iterator[Section]:
    rows = []
    for quantity in data.get("accuracy", ()):
        cells = [
            f"{quantity[side][key]:.2f} %"
            for key in ("median_percent", "worst_percent")
            for side in ("before", "after")
        ]
        rows.append((_code(quantity["name"]), *map(_line, (f"{quantity['figures']}", *cells))))
    if rows:
        columns = ("figures", "median before", "after", "worst before", "after")
        yield Section("Errors against figures stated in tests", table=_table(("output",), columns, rows))


def _other_changes(data: Data) -> Iterator[Section]:
    rows = []
    for change in data["changes"]:
        if change["effect"] != ANSWERS:
            fields = ", ".join(detail["field"] for detail in change["details"] if detail["field"])
            action = f"{change['action']}" + (f": {fields}" if change["action"] == "changed" and fields else "")
            rows.append((_item(change), _line(action), _line(change["effect"]), _position(change)))
    if rows:
        columns = ("rule or entry", "change", "affects", "position")
        yield Section("Changes that affect no answer", table=_table(columns, (), rows))


def _table(
    texts: Sequence[str], numbers: Sequence[str], rows: Iterable[tuple[Line, ...]], more: Sequence[str] = ()
) -> Table:
    """A table with text columns, number columns, and further text columns."""
    columns = (*map(Column, texts), *(Column(name, numbers=True) for name in numbers), *map(Column, more))
    return Table(columns, tuple(rows))


def percent(value: float) -> str:
    """`+4.2 %`, with two significant digits."""
    if not value:
        return "0 %"
    return f"{value:+,.0f} %" if abs(value) >= MIN_WHOLE_PERCENT else f"{value:+.2g} %"


def _figure(value: Any) -> str:
    """A value with four significant digits; large numbers without decimals."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return _one_line(value)
    return f"{value:,.0f}" if abs(value) >= MIN_WHOLE_FIGURE else f"{value:.4g}"


def _line(parts: str | Span | Iterable[str | Span]) -> Line:
    spans = [parts] if isinstance(parts, str | Span) else parts
    return tuple(span if isinstance(span, Span) else Span(span) for span in spans if span != "")


def _quoted(text: str) -> Line:
    """A message whose names are in backticks."""
    return _line(tuple(Span(part, "code" if at % 2 else "") for at, part in enumerate(text.split("`")) if part))


def _code(name: str) -> Line:
    return (Span(name, "code"),)


def _position(data: Data) -> Line:
    """The position of a change, test or problem; empty if it has none."""
    return _code(f"{data['file']}:{data['line']}") if "file" in data else _code("")


def _count(number: int, noun: str, plural: str = "") -> str:
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def _abbreviated(names: Sequence[str]) -> str:
    rest = len(names) - MAX_NAMES
    return ", ".join(names[:MAX_NAMES]) + (f" and {rest} more" if rest > 0 else "")


def _one_line(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return " ".join(str(value).split())
