"""What is said of a comparison, in which order: sections of lines and tables, whatever they are drawn on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fitcard.language.definitions import DIMENSIONLESS

Data = Mapping[str, Any]
ANSWERS, CONTRACT = "answers", "contract-changed"
MAX_NAMES = 4  # of a list, before the others are counted
MAX_LEADING_ROWS = 15  # rows of what comes first, where there is not room for all
MAX_FOLDED_ROWS = 25  # of what can be folded away
SHORT = 10  # percent, from which on no decimals are shown
LARGE = 1000  # a figure, likewise
FAMILIES = 3  # at each end
NONE = "-"


@dataclass(frozen=True)
class Span:
    """A stretch of text. `style` is empty, `code`, `strong`, `old`, `new` or `faint`."""

    text: str
    style: str = ""


Line = tuple[Span, ...]


@dataclass(frozen=True)
class Column:
    """The head of a column, and whether numbers stand in it."""

    name: str
    numbers: bool = False


@dataclass(frozen=True)
class Table:
    """Rows with a cell for each column."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Line, ...], ...]


@dataclass(frozen=True)
class Section:
    """Lines, then a table. What is not `first` comes below all that is, and may be folded away."""

    title: str
    lines: tuple[Line, ...] = ()
    table: Table | None = None
    first: bool = False

    @property
    def rows(self) -> tuple[tuple[Line, ...], ...]:
        """The rows to show where there is not room for all."""
        most = MAX_LEADING_ROWS if self.first else MAX_FOLDED_ROWS
        return self.table.rows[:most] if self.table else ()

    @property
    def more(self) -> int:
        """How many rows there are beside them."""
        return len(self.table.rows) - len(self.rows) if self.table else 0


@dataclass(frozen=True)
class Outline:
    """A title, the few lines that everybody reads, and the sections below them."""

    title: Line
    summary: tuple[Line, ...]
    sections: tuple[Section, ...]


def outline(data: Data) -> Outline:
    """The outline of a comparison in the shape of `diff.schema.json`."""
    title = (Span(data["base"]["label"], "code"), Span(" -> "), Span(data["head"]["label"], "code"))
    sections = [
        *_problems(data),
        *_changes(data),
        *(section for impact in data["impact"] for section in _impact(impact, several=len(data["impact"]) > 1)),
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
    yield _line(
        (
            Span(_count(counts[ANSWERS], "change"), "strong"),
            f" affecting answers, {counts['checks']} of checks, {counts['wording']} of wording",
        )
    )
    for impact in data["impact"]:
        under = f" ({under_profile(impact)})" if len(data["impact"]) > 1 else ""
        if not impact["moved"]:
            yield _line((Span("no answer moves", "strong"), under))
            continue
        about = " and ".join(impact["about"])
        share = impact["moved"] / impact["answers"] * 100
        yield _line(
            (
                Span(f"{impact['moved']:,} of {impact['answers']:,} answers move", "strong"),
                f" ({share:.1f} %), about {impact['pages_moved']:,} of {impact['pages']:,} pairs of {about}{under}",
            )
        )
    if data["head"]["errors"]:
        yield _line(
            (Span(_count(data["head"]["errors"], "error"), "strong"), " in the new rules: nothing was computed")
        )
    if "contract" in data and data["contract"]["moved"]:
        moved = data["contract"]["moved"]
        silent = sum("why" not in case for case in moved)
        told = (
            [f", {silent} without a reason: add it with ", Span("--why", "code")] if silent else [", all with a reason"]
        )
        cases = _count(data["contract"]["cases"], "contract case")
        yield _line((Span(f"{len(moved)} of {cases} move", "strong"), *told))
    if "tests" in data:
        yield from _test_summary(data["tests"])
    both = [one for one in data.get("measured", ()) if "before" in one and "after" in one]
    for one in sorted(both, key=_median_step)[:MAX_NAMES]:
        before, after = one["before"]["median_percent"], one["after"]["median_percent"]
        if f"{before:.1f}" != f"{after:.1f}":
            under = f" (profile {one['profile']})" if len(data["impact"]) > 1 else ""
            off = f": median error {after:.1f} % against measured runs, {before:.1f} % before{under}"
            yield _line((Span(one["title"], "strong"), off))
    for one in sorted(data.get("accuracy", ()), key=_median_step)[:MAX_NAMES]:
        before, after = one["before"]["median_percent"], one["after"]["median_percent"]
        if f"{before:.1f}" != f"{after:.1f}":
            yield _line(
                (
                    Span(one["name"], "code"),
                    f": median error {after:.1f} % against figures stated in tests, {before:.1f} % before",
                )
            )


def _median_step(accuracy: Data) -> float:
    return -abs(float(accuracy["after"]["median_percent"] - accuracy["before"]["median_percent"]))


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
            _line(Span(_place(problem), "code")),
            _quoted(problem["message"]),
            _quoted(problem.get("hint", "")),
        )
        for problem in data["problems"]
        if problem["code"] != CONTRACT  # which have a section of their own
    ]
    if rows:
        yield Section("Problems", table=_table(("", "position", "message", "hint"), (), rows), first=True)


def _changes(data: Data) -> Iterator[Section]:
    rows = [_change(one) for one in data["changes"] if one["effect"] == ANSWERS]
    if rows:
        columns = ("rule or entry", "change", "used by", "affects", "position")
        yield Section("Changes that affect answers", table=_table(columns, (), rows), first=True)


def _change(one: Data) -> tuple[Line, ...]:
    steps = [
        step for detail in one["details"] if detail["effect"] == ANSWERS for step in _detail(detail, one["action"])
    ]
    told: list[Span | str] = [Span(one["action"], "strong")] if one["action"] != "changed" else []
    for step in steps:
        told += ["; " if told else "", *step]
    still = one.get("still_read_by", ())
    readers: list[Span | str] = (
        [Span("still ", "strong"), _few(still)] if still else [_few(one.get("read_by", ())) or NONE]
    )
    reaches = _few(one.get("reaches", ())) or NONE
    return (_named(one), _line(told), _line(readers), _line(reaches), _line(Span(_place(one), "code")))


def _named(one: Data) -> Line:
    what = one["within"] if one["what"] == "entry" else one["what"]
    within = f" of {one['within']}" if "within" in one and one["what"] != "entry" else ""
    return _line((f"{what} ", Span(one["name"], "code"), within))


def _detail(detail: Data, action: str) -> Iterator[list[Span | str]]:
    """How one field differs; of what is new or gone only what it gives."""
    field, old, new = detail["field"], detail["old"], detail["new"]
    if "marks" in detail:
        yield [
            *_marked(_one_line(old), detail["marks"]["old"], "old"),
            " -> ",
            *_marked(_one_line(new), detail["marks"]["new"], "new"),
        ]
    elif action != "changed":
        if field in ("value", "expr"):
            yield [f"{field} ", Span(_one_line(old if new is None else new), "code")]
    elif old is None:
        yield [f"{field} added: ", Span(_one_line(new), "new")]
    elif new is None:
        yield [f"{field} removed: ", Span(_one_line(old), "old")]
    else:
        step = f" ({percent(detail['percent'])})" if "percent" in detail else ""
        yield [f"{field} ", Span(_one_line(old), "old"), " -> ", Span(_one_line(new), "new"), step]


def _marked(text: str, marks: Sequence[Sequence[int]], style: str) -> Iterator[Span]:
    """A formula with its parts that the other lacks marked."""
    at = 0
    for start, end in marks:
        yield from [Span(text[at:start], "code")] * (start > at)
        yield Span(text[start:end], style)
        at = end
    yield from [Span(text[at:], "code")] * (at < len(text))


def _contract(data: Data) -> Iterator[Section]:
    rows = []
    for case in data.get("contract", {}).get("moved", ()):
        moved: list[Span | str] = [Span("withdrawn", "strong")] if "withdrawn" in case else []
        for name, figure in case["figures"].items():
            moved += ["; " if moved else "", f"{name} ", Span(figure["old"], "old"), " -> ", Span(figure["new"], "new")]
        rows.append(
            (_line(case["case"]), _line(tuple(moved)), _line(case.get("why") or Span("no reason given", "strong")))
        )
    if rows:
        silent = any("why" not in case for case in data["contract"]["moved"])
        table = _table(("case", "figures", "reason"), (), rows)
        yield Section("Contract cases that move", table=table, first=silent)


def _impact(impact: Data, *, several: bool) -> Iterator[Section]:
    under = f", {under_profile(impact)}" if several else ""
    entries = [
        _line(f"{axis}: {_count(len(of[key]), 'entry', 'entries')} {key}: {_few(of[key])}")
        for axis, of in impact["entries"].items()
        for key in ("added", "removed")
        if of[key]
    ]
    numbers = [output for output in impact["outputs"] if "matrix" not in output]
    columns = ("answers", "lowest", "10 %", "median", "90 %", "highest")
    rows = tuple(_number_row(output) for output in numbers)
    if rows or entries:
        table = _table(("output",), columns, rows) if rows else None
        yield Section(f"Changes of numbers{under}", tuple(entries), table, first=True)
    for output in impact["outputs"]:
        if "matrix" in output:
            yield Section(f"Changes of {output['name']}{under}", table=_matrix(output))
    movers = tuple(_mover(output, mover) for output in impact["outputs"] for mover in output["movers"])
    if movers:
        table = _table(("output", "question"), ("before", "after", ""), movers, ("first difference",))
        yield Section(f"Largest changes{under}", table=table)
    families = tuple(_family(group) for group in impact["groups"])
    if families:
        yield Section(f"Mean change by family{under}", table=_table(("output", "by", "falls", "rises"), (), families))


def under_profile(impact: Data) -> str:
    """Which of several comparisons it is."""
    return f"profile {impact['profile']}" + (f", each {impact['opened']}" if "opened" in impact else "")


def _number_row(output: Data) -> tuple[Line, ...]:
    shares = output.get("percent", {})
    found = [
        percent(shares[key]) if key in shares else NONE for key in ("least", "tenth", "median", "nine_tenths", "most")
    ]
    return (_line(Span(output["name"], "code")), *(_line(text) for text in (f"{output['moved']:,}", *found)))


def _matrix(output: Data) -> Table:
    words = output["words"]
    counts = {(pair["old"], pair["new"]): pair["answers"] for pair in output["matrix"]}
    rows = []
    for old in words:
        cells = [
            _line(Span(f"{counts[old, new]:,}", "faint" if old == new else "strong")) if (old, new) in counts else ()
            for new in words
        ]
        rows.append((_line(Span(old, "code")), *cells))
    return _table(("before \\ after",), words, rows)


def _mover(output: Data, mover: Data) -> tuple[Line, ...]:
    unit = "" if output["unit"] in DIMENSIONLESS else f" {output['unit']}"
    question = " ".join(mover["question"].values()) or "every question"
    step = percent(mover["percent"]) if "percent" in mover else ""
    old, new = (_figure(mover[key]) + unit for key in ("old", "new"))
    texts = (question, old, new, step)
    return (_line(Span(output["name"], "code")), *(_line(text) for text in texts), _line(Span(mover["first"], "code")))


def _family(group: Data) -> tuple[Line, ...]:
    moved = [row for row in group["rows"] if percent(row["percent"]) != percent(0)]
    falls = [row for row in moved if row["percent"] < 0][:FAMILIES]
    rises = [row for row in reversed(moved) if row["percent"] > 0][:FAMILIES]
    told = (", ".join(f"{row['group']} {percent(row['percent'])}" for row in rows) or NONE for rows in (falls, rises))
    return (
        _line(Span(group["output"], "code")),
        _line(f"{group['axis']}.{group['field']}"),
        *(_line(text) for text in told),
    )


def _tests(data: Data) -> Iterator[Section]:
    tests = data.get("tests", {})
    rows = [
        (_line(kind), _line(one["name"]), _quoted("; ".join(one["wrong"])), _line(Span(_place(one), "code")))
        for kind, key in (("now fails", "broken"), ("new, fails", "new_failures"))
        for one in tests.get(key, ())
    ]
    rows += [(_line("passes again"), _line(name), _line(""), _line("")) for name in tests.get("mended", ())]
    if rows:
        yield Section("Rule tests", table=_table(("", "test", "message", "position"), (), rows))


def _measured(data: Data) -> Iterator[Section]:
    found = data.get("measured", ())
    several = len({one["profile"] for one in found}) > 1
    rows = [
        (
            _line(one["title"]),
            *([_line(one["profile"])] if several else []),
            *(
                _line(f"{one[side][key]:{form}}" if side in one else NONE)
                for key, form in (("runs", "d"), ("median_percent", ".1f"), ("ninetieth_percent", ".0f"))
                for side in ("before", "after")
            ),
        )
        for one in found
    ]
    if rows:
        words = ("quantity", "profile") if several else ("quantity",)
        columns = ("runs before", "after", "median %", "after", "90th percentile %", "after")
        yield Section("Errors against measured runs", table=_table(words, columns, rows))


def _accuracy(data: Data) -> Iterator[Section]:
    rows = [
        (
            _line(Span(one["name"], "code")),
            _line(f"{one['figures']}"),
            *(
                _line(f"{one[side][key]:.2f} %")
                for key in ("median_percent", "worst_percent")
                for side in ("before", "after")
            ),
        )
        for one in data.get("accuracy", ())
    ]
    if rows:
        columns = ("figures", "median before", "after", "worst before", "after")
        yield Section("Errors against figures stated in tests", table=_table(("output",), columns, rows))


def _other_changes(data: Data) -> Iterator[Section]:
    rows = []
    for one in data["changes"]:
        if one["effect"] != ANSWERS:
            fields = ", ".join(detail["field"] for detail in one["details"] if detail["field"])
            rows.append(
                (
                    _named(one),
                    _line(f"{one['action']}" + (f": {fields}" if one["action"] == "changed" and fields else "")),
                    _line(one["effect"]),
                    _line(Span(_place(one), "code")),
                )
            )
    if rows:
        yield Section(
            "Changes that affect no answer", table=_table(("rule or entry", "change", "affects", "position"), (), rows)
        )


def _table(
    words: Sequence[str], numbers: Sequence[str], rows: Iterable[tuple[Line, ...]], more: Sequence[str] = ()
) -> Table:
    """A table with columns of words, then of numbers, then more of words."""
    columns = (*map(Column, words), *(Column(name, numbers=True) for name in numbers), *map(Column, more))
    return Table(columns, tuple(rows))


def percent(value: float) -> str:
    """`+4.2 %`, with two digits that count."""
    if not value:
        return "0 %"
    return f"{value:+,.0f} %" if abs(value) >= SHORT else f"{value:+.2g} %"


def _figure(value: Any) -> str:
    """A value with four digits that count; large ones whole."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return _one_line(value)
    return f"{value:,.0f}" if abs(value) >= LARGE else f"{value:.4g}"


def _line(parts: str | Span | Iterable[str | Span]) -> Line:
    spans = [parts] if isinstance(parts, str | Span) else parts
    return tuple(span if isinstance(span, Span) else Span(span) for span in spans if span != "")


def _quoted(text: str) -> Line:
    """A message, in which names stand in backticks."""
    return _line(tuple(Span(part, "code" if at % 2 else "") for at, part in enumerate(text.split("`")) if part))


def _place(one: Data) -> str:
    return f"{one['file']}:{one['line']}" if "file" in one else ""


def _count(number: int, word: str, words: str = "") -> str:
    return f"{number:,} {word if number == 1 else words or f'{word}s'}"


def _few(names: Sequence[str]) -> str:
    rest = len(names) - MAX_NAMES
    return ", ".join(names[:MAX_NAMES]) + (f" and {rest} more" if rest > 0 else "")


def _one_line(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return " ".join(str(value).split())
