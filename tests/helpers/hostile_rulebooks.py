"""Hostile rulebooks: each a change of the small rulebook that would take far too much time or memory to check.

Each is named after what there is too much of. `within` are those that stay below all limits of size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from helpers.workplace import Workplace

Files = Mapping[str, str]
HEAD = "kind: {kind}\ntitle: Hostile\nabout: A file that must not be evaluated.\nreference: {{title: Nobody}}\n"
RULES, CHECKS, TESTS = "rules/hostile.yaml", "rules/checks.yaml", "rules/x.test.yaml"
MESSAGES, LAYOUT, MAIN = "catalogs/messages/en.yaml", "rules/answer.yaml", "rules/rulebook.yaml"
DEVICES, RUNS = "catalogs/many.yaml", "catalogs/many_runs.yaml"
ANCHORS = ("sentences:\n", "answer:\n", "units:\n", "inputs:\n")  # the lines that inserted texts take the place of
ROW = "h100-80gb: 30000}"


@dataclass(frozen=True)
class Hostile:
    """Files that are written, and texts that take the place of a line of ANCHORS in files of the small rulebook.

    `code` and `place` are those of the first problem of this code that they must give.
    """

    code: str
    place: str
    written: Files
    inserted: Files

    def lay_out(self, small: Workplace) -> None:
        """Changes the small rulebook."""
        small.edit("rules/fit.yaml", ROW, f"{ROW}\n    otherwise: 1")  # for further devices
        for file, text in self.written.items():
            small.write(file, text)
        for file, text in self.inserted.items():
            small.edit(file, next(anchor for anchor in ANCHORS if anchor in text), text)


def hostile(code: str, place: str, written: str | Files = "", inserted: Files | None = None) -> Hostile:
    """A rulebook with these files, by default RULES."""
    files = {RULES: written} if isinstance(written, str) else written
    return Hostile(code, place, {file: text for file, text in files.items() if text}, inserted or {})


def rules(**sections: str) -> str:
    """A rule file with these sections."""
    return HEAD.format(kind="rules") + "".join(f"{section}:\n{text}" for section, text in sections.items())


def formulas(expressions: Mapping[str, str], unit: str = "1") -> str:
    """A rule file with a formula for each of these expressions."""
    lines = (f'  {name}: {{unit: "{unit}", about: A formula., expr: "{expr}"}}\n' for name, expr in expressions.items())
    return rules(formulas="".join(lines))


def many(template: str, count: int) -> str:
    """A text for each number from 0."""
    return "".join(template.format(at=at, before=at - 1, after=at + 1) for at in range(count))


def numbered(count: int, expression: Callable[[int], str], start: str = "device.memory / GB") -> dict[str, str]:
    """The expressions of `c0`, which is `start`, `c1` and so on."""
    return {f"c{at}": expression(at) if at else start for at in range(count)}


def chain(count: int, start: str = "memory_share") -> dict[str, str]:
    """Formulas of which each reads the one before."""
    return numbered(count, lambda at: f"c{at - 1} + 1", start)


def table(
    name: str, rows: Iterable[str], source: str = "device.id", kind: str = "lookup", end: str = "", unit: str = "1"
) -> str:
    """A table with these rows in one line."""
    opened, closed = ("{", "}") if kind == "lookup" else ("[", "]")
    listed = ", ".join(rows)
    head = f'  {name}: {{kind: {kind}, input: {source}, unit: "{unit}", about: A table of many.'
    return f"{head}, rows: {opened}{listed}{closed}{end}}}\n"


def devices(count: int) -> str:
    """A catalog file with many devices."""
    lines = many("  d-{at}: {{name: Device {at}, memory: 8, bandwidth: 9}}\n", count)
    return f"kind: devices\ntitle: Many\nentries:\n{lines}"


def tests(line: str, count: int) -> str:
    """A file of rule tests."""
    lines = many(f"  - {{{{name: test number {{at}}, {line}}}}}\n", count)
    return f"kind: tests\ntitle: Many\ntests:\n{lines}"


def checks(count: int) -> str:
    """A file of checks of the devices, none of which agree with them."""
    lines = many("  c{at}: {{of: devices, about: A check of many., figure: memory, at_most: 1}}\n", count)
    return f"kind: checks\ntitle: Many\nchecks:\n{lines}"


def invariants(line: str, count: int) -> str:
    """A rule file with invariants."""
    return rules(invariants=many(f"  - {{{{name: invariant number {{at}}, {line}}}}}\n", count))


def lookups_of_lookups(count: int, width: int) -> str:
    """Tables of words with rows that take their words from the tables before, on very many paths."""
    tables = []
    for at in range(count):
        results = [f"{{value_of: t{at - 1 - row % min(at, width)}}}" if at else f"w{row}" for row in range(width)]
        rows = [f"w{row}: {result}" for row, result in enumerate(results)]
        source = f"t{at - 1}" if at else "device.id"
        tables.append(table(f"t{at}", rows, source, end=", otherwise: w0", unit="word"))
    return rules(tables="".join(tables))


def profile(text: str = "") -> str:
    """A profile."""
    return f"{HEAD.format(kind='profile')}{text}"


MISSPELT = {f"c{at}": "memory_shar" + "".join("abcdefghij"[int(digit)] for digit in str(at)) for at in range(1900)}
BLOCKS = many("  b{at}: {{x{at}: {{use: b{after}}}, y{at}: {{use: b{after}}}}}\n", 30) + "  b30: {z: price}\n"
LISTS = many("  b{at}: [{{use: b{after}}}, {{use: b{after}}}]\n", 30) + "  b30: [price]\n"
MERGED = (
    "".join(
        f"  b{at}: {{k{at}: price, use: [{', '.join(f'b{after}' for after in range(at + 1, 31))}]}}\n"
        for at in range(30)
    )
    + "  b30: {z: price}\n"
)
VALUES = ", ".join(["1"] * 1200)
REFERENCES = (
    "  r-{at}: {{model: llama-3.1-8b, device: h100-{at}, quant: Q4_K_M, context: 8000, tier: A, "
    "measured: {{load_time: 1}}}}\n"
)
AXES = many("  a{at}: {{catalog: devices, about: One of many axes.}}\n", 20)
UNITS = many("  - p{at}x- = 1e3\n", 200) + many("  - u{at}x = [d{at}]\n", 200)
LEVELS = many("  b{at}: {{use: b{after}}}\n", 150) + "  b150: {z: price}\n"
OVER: Mapping[str, Hostile] = {
    "definitions": hostile("too-many", f"{RULES}:1996:3", formulas(chain(5000))),
    "definitions of all profiles": hostile(
        "too-many",
        "rules/profiles/p6.yaml:1:1",
        {RULES: formulas(chain(1500))} | {f"rules/profiles/p{at}.yaml": profile() for at in range(10)},
    ),
    "a long name": hostile("too-many", f"{RULES}:6:3", formulas({"n" * 101: "1"})),
    "profiles": hostile(
        "too-many", "rules/profiles/p9.yaml:1:1", {f"rules/profiles/p{at}.yaml": profile() for at in range(31)}
    ),
    "expressions": hostile(
        "too-many", f"{RULES}:285:3", formulas({f"c{at}": " + ".join(["weights / weights"] * 18) for at in range(600)})
    ),
    "rows": hostile("too-many", f"{RULES}:6:3", rules(tables=table("wide", (f"w{at}: {at}" for at in range(5001))))),
    "axes": hostile("too-many", f"{MAIN}:39:3", inserted={MAIN: f"{AXES}inputs:\n"}),
    "invariants": hostile("too-many", f"{RULES}:306:5", invariants("always: memory_share > {at}", 400)),
    "tests": hostile("too-many", f"{TESTS}:3002:5", {TESTS: tests("given: {{}}, expect: {{overhead: 2}}", 3001)}),
    "entries times tests": hostile(
        "too-many",
        f"{TESTS}:1247:5",
        {TESTS: tests("given: {{model: llama-3.1-8b, device: device {at}}}", 1300), DEVICES: devices(4000)},
    ),
    "checks": hostile("too-many", f"{CHECKS}:128:3", {DEVICES: devices(4000), CHECKS: checks(200)}),
    "units": hostile("too-many", f"{MAIN}:508:5", inserted={MAIN: "units:\n" + many("  - u{at} = [d{at}]\n", 600)}),
    "values along inputs": hostile(
        "too-many",
        f"{LAYOUT}:5:7",
        inserted={
            LAYOUT: f"answer:\n  a: {{along: context, values: [{VALUES}], up_to: weights, item: {{w: weights}}}}\n"
        },
    ),
    "nodes of the layout": hostile(
        "too-many", f"{LAYOUT}:5005:3", inserted={LAYOUT: "answer:\n" + many("  k{at}: price\n", 6000)}
    ),
    "blocks in blocks": hostile(
        "too-many", f"{LAYOUT}:5:3", inserted={LAYOUT: f"blocks:\n{BLOCKS}answer:\n  use: b0\n"}
    ),
    "lists in lists": hostile(
        "too-many", f"{LAYOUT}:5:3", inserted={LAYOUT: f"blocks:\n{LISTS}answer:\n  a: {{use: b0}}\n"}
    ),
    "merged blocks": hostile("too-many", f"{LAYOUT}:5:3", inserted={LAYOUT: f"blocks:\n{MERGED}answer:\n  use: b0\n"}),
    "levels of blocks": hostile(
        "too-many", f"{LAYOUT}:5:3", inserted={LAYOUT: f"blocks:\n{LEVELS}answer:\n  use: b0\n"}
    ),
    "messages": hostile(
        "too-many", f"{MESSAGES}:1005:3", inserted={MESSAGES: "sentences:\n" + many("  s{at}: It is {{fit}}.\n", 2000)}
    ),
    "characters of a text": hostile(
        "yaml-too-large", f"{MESSAGES}:5:9", inserted={MESSAGES: "sentences:\n  long: '" + "{fit}" * 9000 + "'\n"}
    ),
    "values": hostile(
        "too-many", "rules/f1.yaml:1:1", {f"rules/f{at}.yaml": f"{rules()}x: [{'1, ' * 70_000}]\n" for at in range(3)}
    ),
    "files": hostile("too-many", "rules/answer.yaml:1:1", {f"rules/a/{at}.yaml": "a: 1" for at in range(2000)}),
    "problems of a file": hostile("too-many", f"{RULES}:201:1", many("m{at}: 1\n", 3000) + rules()),
}
WITHIN: Mapping[str, Hostile] = {
    "a chain": hostile("name-unused", f"{RULES}:6:3", formulas(chain(1900))),
    "a chain backwards": hostile("name-unused", f"{RULES}:6:3", formulas(dict(reversed(chain(1900).items())))),
    "paths": hostile(
        "name-unused",
        f"{RULES}:6:3",
        formulas(numbered(300, lambda at: " + ".join(f"c{read}" for read in range(max(0, at - 20), at)))),
    ),
    "a cycle": hostile(
        "name-cycle", f"{RULES}:1905:48", formulas({f"c{at}": f"c{(at + 1) % 1900}" for at in range(1900)})
    ),
    "a chain of comparisons": hostile(
        "current-nested", f"{RULES}:8:45", formulas(numbered(1900, lambda at: f"current.c{at - 1} + 1"))
    ),
    "tables of tables": hostile("name-unused", f"{RULES}:6:3", lookups_of_lookups(60, 8)),
    "misspelt names": hostile("name-unknown", f"{RULES}:6:45", formulas(MISSPELT)),
    "misspelt references": hostile(
        "catalog-unknown-entry",
        f"{RUNS}:4:38",
        {RUNS: "kind: runs\ntitle: Many\nentries:\n" + many(REFERENCES, 3000)},
    ),
    "misspelt blocks": hostile(
        "block-unknown",
        f"{LAYOUT}:106:13",
        inserted={
            LAYOUT: "blocks:\n"
            + many("  b{at}x: {{z: price}}\n", 100)
            + "answer:\n"
            + many("  k{at}: {{use: b{at}}}\n", 1500)
        },
    ),
    "misspelt units": hostile(
        "unit-unknown",
        f"{RULES}:6:24",
        rules(constants=many('  c{at}: {{value: 1, unit: "gigabite{at}", about: A constant.}}\n', 1900)),
        inserted={MAIN: f"units:\n{UNITS}"},
    ),
    "constant conditions": hostile(
        "condition-constant",
        f"{RULES}:6:50",
        formulas({f"c{at}": f"1 if device.memory > -{at} * GB else 2" for at in range(300)}),
    ),
    "invariants of a chain": hostile(
        "too-costly",
        "rules/i.yaml:37:5",
        {
            RULES: formulas(chain(1600)),
            "rules/i.yaml": invariants("when: c{at} increases, then: c1599 never decreases", 200),
        },
    ),
    "invariants of an axis": hostile(
        "too-costly",
        f"{RULES}:8:5",
        {DEVICES: devices(8000), RULES: invariants("when: device changes, then: weights never changes", 100)},
    ),
    "disagreeing entries": hostile(
        "catalog-disagrees", "catalogs/devices.yaml:4:3", {DEVICES: devices(4000), CHECKS: checks(5)}
    ),
}
HOSTILE_RULEBOOKS = {**OVER, **WITHIN}
