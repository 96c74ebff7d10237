"""Hostile rulebooks: each a change of the small rulebook that would take far too much time or memory to check."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from helpers.workplace import Workplace

HEAD = "kind: {kind}\ntitle: Hostile\nabout: A file that must not be evaluated.\nreference: {{title: Nobody}}\n"
FORMULA = '  {name}: {{unit: "{unit}", about: A formula of many., expr: "{expr}"}}\n'
CONSTANT = '  {name}: {{unit: "1", about: A constant of many., value: {value}}}\n'
HOSTILE = "rules/hostile.yaml"
Change = Callable[[Workplace], None]


@dataclass(frozen=True)
class Hostile:
    """A change of the small rulebook."""

    name: str
    change: Change


def rules(**sections: str) -> str:
    """A rule file with these sections."""
    return HEAD.format(kind="rules") + "".join(f"{section}:\n{text}" for section, text in sections.items())


def formulas(expressions: Mapping[str, str], unit: str = "1") -> str:
    """The formulas with these names and expressions."""
    return "".join(FORMULA.format(name=name, unit=unit, expr=expr) for name, expr in expressions.items())


def write(text: str, file: str = HOSTILE) -> Change:
    """Writes a file."""
    return lambda small: small.write(file, text)


def write_all(files: Mapping[str, str]) -> Change:
    """Writes files."""

    def change(small: Workplace) -> None:
        for file, text in files.items():
            small.write(file, text)

    return change


def edit(file: str, old: str, new: str) -> Change:
    """Edits a file."""
    return lambda small: small.edit(file, old, new)


def both(*changes: Change) -> Change:
    """Several changes."""

    def change(small: Workplace) -> None:
        for each in changes:
            each(small)

    return change


def write_formulas(expressions: Mapping[str, str], unit: str = "1") -> Change:
    """Writes a rule file with these formulas, in several files where they are too many bytes for one."""
    lines = [FORMULA.format(name=name, unit=unit, expr=expr) for name, expr in expressions.items()]
    parts = [lines[at : at + 4000] for at in range(0, len(lines), 4000)]
    return write_all({f"rules/hostile_{at}.yaml": rules(formulas="".join(part)) for at, part in enumerate(parts)})


def chain(length: int, start: str = "model.params / model.params") -> dict[str, str]:
    """Formulas of which each reads the one before."""
    return {"c0": start} | {f"c{at}": f"c{at - 1} + 1" for at in range(1, length)}


def reverse_chain(length: int) -> dict[str, str]:
    """Formulas of which each reads the one after."""
    return {f"c{at}": f"c{at + 1} + 1" for at in range(length)} | {f"c{length}": "1"}


def diamond(length: int, width: int = 20) -> dict[str, str]:
    """Formulas of which each reads the `width` before; the number of paths is exponential."""
    return {
        f"d{at}": " + ".join(f"d{read}" for read in range(max(0, at - width), at)) or "device.memory / device.memory"
        for at in range(length)
    }


def lookup(name: str, rows: Iterable[str], source: str = "device.id", unit: str = "1", otherwise: str = "1") -> str:
    """A lookup table."""
    head = f'  {name}: {{kind: lookup, input: {source}, unit: "{unit}", about: A table of many., rows: {{'
    return f"{head}{', '.join(rows)}}}, otherwise: {otherwise}}}\n"


def bands(name: str, rows: int, source: str = "device.memory") -> str:
    """A table of bands."""
    listed = ", ".join(f"{{at_most: {at}, gives: {at}}}" for at in range(rows))
    head = f'  {name}: {{kind: bands, input: {source}, unit: "1", about: A table of many., rows: ['
    return f"{head}{listed}, {{otherwise: 0}}]}}\n"


def knots(name: str, rows: int) -> str:
    """A table of knots."""
    listed = ", ".join(f"[{at}, {at}]" for at in range(rows))
    head = f'  {name}: {{kind: knots, input: device.memory, unit: "1", about: A table of many., beyond: hold, rows: ['
    return f"{head}{listed}]}}\n"


def axes(count: int, catalog: str = "devices") -> Change:
    """Many axes over a catalog."""
    lines = "".join(
        f"  a{at}: {{catalog: {catalog}, default: m1-16gb, about: One of many axes.}}\n" for at in range(count)
    )
    return edit("rules/rulebook.yaml", "inputs:\n", f"{lines}inputs:\n")


def entries(count: int) -> str:
    """A catalog file with many devices."""
    lines = "".join(
        f'  dev-{at}: {{name: "Device number {at}", memory: {at % 100 + 1}, bandwidth: 100}}\n'
        for at in range(count)
    )
    return f"kind: devices\ntitle: Many devices\nentries:\n{lines}"


def layout(extra: str) -> Change:
    """Adds to the answer."""
    return edit("rules/answer.yaml", "answer:\n", f"{extra}")


def nested_map(depth: int, leaf: str = "price") -> str:
    """A map in a map."""
    return "{a: " * depth + leaf + "}" * depth


def invariants(lines: Iterable[str]) -> Change:
    """Adds invariants."""
    return write(rules(invariants="".join(f"  - {line}\n" for line in lines)))


def rule_tests(count: int) -> str:
    """A file of tests."""
    lines = "".join(
        f"  - {{name: test number {at}, given: {{model: llama-3.1-70b, context: {1000 + at}}}, expect: {{price: 700}}}}\n"
        for at in range(count)
    )
    return f"kind: tests\ntitle: Many\ntests:\n{lines}"


LETTERS = "abcdefghij"


def misspelt(at: int) -> str:
    """A name that is no other, but resembles all of them."""
    return "memory_shar" + "".join(LETTERS[int(digit)] for digit in str(at))


def profile(extra: str = "") -> str:
    return f"kind: profile\ntitle: One of many\nabout: A profile of many.\nreference: {{title: Nobody}}\n{extra}"


def blocks(levels: int) -> str:
    """Blocks of which each uses the next twice."""
    lines = "".join(f"  b{at}: {{x{at}: {{use: b{at + 1}}}, y{at}: {{use: b{at + 1}}}}}\n" for at in range(levels))
    return f"blocks:\n{lines}  b{levels}: {{z: price}}\nanswer:\n  laughs: {{use: b0}}\n"


def merged_blocks(levels: int, width: int = 2) -> str:
    """Blocks of which each is several times the next as a list."""
    lines = "".join(f"  b{at}: [{', '.join([f'{{use: b{at + 1}}}'] * width)}]\n" for at in range(levels))
    return f"blocks:\n{lines}  b{levels}: [price]\nanswer:\n  laughs: {{use: b0}}\n"


def sentences(lines: str) -> Change:
    """Adds sentences in English."""
    return edit("catalogs/messages/en.yaml", "sentences:\n", f"sentences:\n{lines}")


def many(template: str, count: int) -> str:
    """Lines with the numbers from 0."""
    return "".join(template.format(at=at) for at in range(count))


CONDITION = "(1 if device.memory > 0 else 2)"
EACH = "  l{at}: {{each: device, with: {{context: weights}}, item: {{device: device.id, price: price, m: memory_share}}}}\n"

HOSTILE_RULEBOOKS: Mapping[str, Change] = {
    # chains, graphs and cycles
    "chain": write_formulas(chain(5000)),
    "reverse-chain": write_formulas(reverse_chain(5000)),
    "long-chain": write_formulas(chain(40_000)),
    "paths": write_formulas(diamond(2000)),
    "paths-small": write_formulas(diamond(60)),
    "cycle": write_formulas({f"c{at}": f"c{(at + 1) % 1900}" for at in range(1900)}),
    "cycles": write_formulas({f"c{at}": f"c{at} + 1" for at in range(1900)}),
    "cycle-of-all": write_formulas({f"c{at}": "+".join(f"c{read}" for read in range(60)) for at in range(60)}),
    "cycle-paths": write_formulas(
        {f"c{at}": "+".join(f"c{(at + step) % 900}" for step in range(1, 50)) for at in range(900)}
    ),
    "cycle-of-one-chooser": both(
        write(rules(tables=lookup("choose", ["m1-16gb: m1-16gb"], "device.vendor", "word", "m1-16gb"))),
        edit("rules/rulebook.yaml", "default: m1-16gb,", "default_by: choose,"),
    ),
    "current-chain": write_formulas(
        {"c0": "device.memory / device.memory"} | {f"c{at}": f"current.c{at - 1} + 1" for at in range(1, 2000)}
    ),
    "value-of-paths": write(
        rules(
            tables="".join(
                lookup(
                    f"t{at}",
                    [
                        f"w{row}: {{value_of: t{at - 1 - row % min(at, 8)}}}" if at else f"w{row}: w{row}"
                        for row in range(8)
                    ],
                    f"t{at - 1}" if at else "device.id",
                    "word",
                    "w0",
                )
                for at in range(60)
            )
        )
    ),
    "value-of-chain": write(
        rules(
            tables="".join(
                lookup(
                    f"t{at}",
                    [f"w: {{value_of: t{at - 1}}}" if at else "w: w"],
                    f"t{at - 1}" if at else "device.id",
                    "word",
                    "w",
                )
                for at in range(3000)
            )
        )
    ),
    # tables
    "table-rows": write(rules(tables=lookup("many", (f"w{at}: {at}" for at in range(90_000))))),
    "table-rows-near": write(rules(tables=lookup("many", (f"h100-80gb{at}: {at}" for at in range(20_000))))),
    "table-tables": write_all(
        {
            f"rules/hostile_{at}.yaml": rules(
                tables="".join(
                    lookup(f"many_{at}_{no}", (f"w{row}: {row}" for row in range(5_000))) for no in range(15)
                )
            )
            for at in range(6)
        }
    ),
    "table-bands": write(rules(tables=bands("many", 60_000))),
    "table-bands-many": write_all(
        {
            f"rules/hostile_{at}.yaml": rules(tables="".join(bands(f"b{at}_{no}", 60) for no in range(500)))
            for at in range(4)
        }
    ),
    "table-knots": write(rules(tables=knots("many", 60_000))),
    "table-words": write(
        rules(
            tables=lookup("first", (f"w{at}: x{at}" for at in range(5000)), "device.id", "word", "x")
            + lookup("second", (f"x{at}: y{at}" for at in range(5000)), "first", "word", "y")
        )
    ),
    # names
    "misspelt": write_formulas({f"c{at}": misspelt(at) for at in range(1900)}),
    "misspelt-among-many": write_formulas(chain(1500) | {f"m{at}": misspelt(at) for at in range(1900)}),
    "misspelt-in-one": write_formulas(
        {f"c{at}": " + ".join(misspelt(at * 20 + no) for no in range(20)) for at in range(500)}
    ),
    "misspelt-long": write_formulas({f"c{at}": "memory_" * 40 + misspelt(at) for at in range(1900)}),
    "misspelt-fields": write_formulas({f"c{at}": f"device.{misspelt(at)}" for at in range(1900)}),
    "misspelt-keys": write(many("x{at}_memory: 1\n", 20_000) + rules(constants=CONSTANT.format(name="c", value=1))),
    "misspelt-keys-nested": write(
        rules(constants=many('  c{at}: {{valu: 1, unit: "1", about: A constant., minimun: 1, maximun: 3}}\n', 9000))
    ),
    "misspelt-functions": write_formulas({f"c{at}": " + ".join([f"mim{at}(1)"] * 20) for at in range(1900)}),
    "misspelt-units": write(
        rules(constants=many('  c{at}: {{value: 1, unit: "gigabite{at}", about: A constant.}}\n', 3000))
    ),
    "misspelt-layout": layout("answer:\n" + many("  k{at}: memory_shar{at}x\n", 5000)),
    "misspelt-blocks": layout(
        "blocks:\n" + many("  b{at}x: {{z: price}}\n", 3000) + "answer:\n" + many("  k{at}: {{use: b{at}}}\n", 3000)
    ),
    "misspelt-messages": layout("answer:\n" + many("  k{at}: {{message: verdct{at}}}\n", 5000)),
    "misspelt-slots": sentences(many("  s{at}: '{{memory_shar{at}x}}'\n", 5000)),
    "misspelt-slot": sentences("  verdict_a: '" + "".join(f"{{memory_shar{at}x}}" for at in range(20_000)) + "'\n"),
    "misspelt-tests": write(
        "kind: tests\ntitle: Many\ntests:\n"
        + many(
            "  - {{name: test number {at}, given: {{model: llama-3.1-70b}}, expect: {{memory_shar{at}x: 1}}}}\n", 3000
        ),
        "rules/many.test.yaml",
    ),
    "misspelt-entries": write(
        "kind: tests\ntitle: Many\ntests:\n"
        + many("  - {{name: test number {at}, given: {{model: llama-3.1-70b{at}x}}, expect: {{price: 1}}}}\n", 3000),
        "rules/many.test.yaml",
    ),
    "misspelt-overrides": write(
        profile("constants:\n" + many("  overhea{at}d: {{value: 1, unit: GB, about: A constant.}}\n", 5000)),
        "rules/profiles/many.yaml",
    ),
    "misspelt-excused": write(
        "kind: checks\ntitle: Many\nchecks:\n  c: {of: devices, about: A check of many., figure: memory, at_most: 1000, except: {"
        + many("h100-80g{at}: It is not needed., ", 5000)
        + "}}\n",
        "rules/many.yaml",
    ),
    "misspelt-references": write(
        "kind: runs\ntitle: Many runs\nentries:\n"
        + many(
            "  run-{at}: {{model: llama-3.1-70b{at}, device: h100-80g{at}, context: 8000, quant: Q4_K_M, tier: A, measured: {{load_time: 1}}}}\n",
            3000,
        ),
        "catalogs/many.yaml",
    ),
    "misspelt-names": edit(
        "catalogs/messages/en.yaml",
        "sentences:\n",
        "names:\n  devices:\n    name:\n" + many("      Device number {at}: x\n", 5000) + "sentences:\n",
    ),
    "misspelt-invariants": invariants(
        f"{{name: invariant number {at}, always: {misspelt(at)} > 0}}" for at in range(3000)
    ),
    "long-names": write_formulas({("n" * 20_000) + str(at): "1" for at in range(80)}),
    "long-names-read": write_formulas({("n" * 380) + str(at): "n" * 380 + f"{max(0, at - 1)}" for at in range(800)}),
    "long-ids": write(many("  d{at}: {{name: d{at}}}\n", 1).replace("d0", "d" * 500_000), "catalogs/many.yaml"),
    # layouts
    "layout-deep": layout(f"answer:\n  deep: {nested_map(35)}\n"),
    "layout-wide": layout("answer:\n" + many("  k{at}: price\n", 60_000)),
    "layout-blocks": layout(blocks(24)),
    "layout-blocks-deep": layout(blocks(3000)),
    "layout-lists": layout(merged_blocks(24)),
    "layout-lists-deep": layout(merged_blocks(3000, 1)),
    "layout-uses": layout(
        "blocks:\n"
        + "".join(
            f"  b{at}: {{k{at}: price, use: [{', '.join(f'b{other}' for other in range(at + 1, 25))}]}}\n"
            for at in range(24)
        )
        + "  b24: {k24: price}\nanswer:\n  use: b0\n"
    ),
    "layout-cycle": layout(
        "blocks:\n" + "".join(f"  b{at}: {{use: b{(at + 1) % 3000}}}\n" for at in range(3000)) + "answer:\n  use: b0\n"
    ),
    "layout-each": layout("answer:\n" + many(EACH, 2000)),
    "layout-each-distinct": layout(
        "answer:\n"
        + "".join(
            f"  l{at}: {{each: device, with: {{context: c{at}}}, item: {{m: memory_share}}}}\n" for at in range(2000)
        )
    ),
    "layout-along": layout(
        "answer:\n  a: {along: context, values: ["
        + ", ".join(map(str, range(100_000)))
        + "], up_to: weights, item: {m: memory_share}}\n"
    ),
    "layout-along-many": layout(
        "answer:\n"
        + "".join(
            f"  a{at}: {{along: context, values: [{', '.join(map(str, range(1000, 2000)))}], up_to: weights, item: {{m: memory_share}}}}\n"
            for at in range(100)
        )
    ),
    "layout-matching": layout(
        "answer:\n" + many("  m{at}: {{matching: runs, same: [model], item: {{a: measured.load_time}}}}\n", 5000)
    ),
    "layout-picks": layout(
        "picks:\n"
        + many("  p{at}: {{axis: device, by: price}}\n", 2000)
        + "answer:\n"
        + many("  k{at}: p{at}.name\n", 2000)
    ),
    # messages
    "messages": sentences(many("  s{at}: It is {{fit}}.\n", 20_000)),
    "messages-by": both(
        write(rules(tables=lookup("words", (f"w{at}: x{at}" for at in range(5000)), "device.id", "word", "x"))),
        sentences(
            "".join(
                f"  s{at}: {{by: words, text: {{{', '.join(f'x{no}: text' for no in range(5000))}}}}}\n"
                for at in range(10)
            )
        ),
    ),
    "messages-slots": sentences("  long: '" + "{fit}" * 300_000 + "'\n"),
    "messages-nested": sentences("  nested: '" + "{fit:{fit:" * 50_000 + "}}" * 50_000 + "'\n"),
    "messages-use": both(
        sentences(many("  s{at}: It is {{fit}}.\n", 5000)),
        layout("answer:\n" + many("  k{at}: {{message: s{at}}}\n", 5000)),
    ),
    "messages-formats": edit("catalogs/messages/en.yaml", "sentences:\n", "sentences:\n").__class__
    and edit("catalogs/messages/en.yaml", "formats:\n", "formats:\n" + many("  f{at}: {{decimals: 1}}\n", 20_000)),
    # conditions and expressions
    "conditions": write_formulas({f"c{at}": " + ".join([CONDITION] * 8) for at in range(1000)}),
    "conditions-distinct": write_formulas(
        {f"c{at}": " + ".join(f"(1 if weights > {-at - no} else 2)" for no in range(8)) for at in range(500)}, "1"
    ),
    "conditions-few": write_formulas({f"c{at}": f"1 if memory_share > {-at} else 2" for at in range(20)}),
    "calls": write_formulas({f"c{at}": "min(" + ", ".join(["device.memory"] * 25) + ")" for at in range(2000)}, "GB"),
    "calls-bounds": write_formulas(
        {f"c{at}": "max(" + ", ".join([f"device.memory*{at}"] * 22) + ")" for at in range(3000)}, "GB"
    ),
    "powers": write_formulas({f"c{at}": "(" * 20 + "1.0001" + f" ** 1.{at})" * 20 for at in range(2000)}),
    "constants": write_all(
        {
            f"rules/hostile_{at}.yaml": rules(
                constants="".join(CONSTANT.format(name=f"k{at}_{no}", value=no) for no in range(20_000))
            )
            for at in range(5)
        }
    ),
    "formulas": write_formulas({f"c{at}": f"device.bandwidth / device.bandwidth * {at}" for at in range(15_000)}),
    "formula-products": write_formulas(
        {
            f"c{at}": f"({'*'.join(['model.params/model.params'] * 6)})*{at} + weights/weights*quant.bytes_per_param/quant.bytes_per_param"
            for at in range(3000)
        }
    ),
    "not-finite": write_formulas(
        {f"c{at}": f"{at} / 0" if at < 0 else f"{at} / (device.memory - device.memory)" for at in range(3000)}
    ),
    # questions
    "axes": axes(20),
    "axes-many": axes(2000),
    "axes-read": both(axes(12), write_formulas({"wide": "+".join(f"a{at}.memory" for at in range(12))}, "GB")),
    "axes-condition": both(
        axes(12),
        write_formulas(
            {f"w{at}": f"1 if {'+'.join(f'a{no}.memory' for no in range(12))} > {-at} * GB else 2" for at in range(50)}
        ),
    ),
    "inputs": edit(
        "rules/rulebook.yaml",
        "inputs:\n",
        "inputs:\n" + many("  i{at}: {{unit: token, minimum: 1, maximum: 9, about: One of many inputs.}}\n", 3000),
    ),
    "entries": write(entries(15_000), "catalogs/many.yaml"),
    "entries-many": write_all(
        {
            f"catalogs/many_{at}.yaml": entries(15_000).replace("dev-", f"d{at}-").replace("number", f"number {at} of")
            for at in range(10)
        }
    ),
    "entries-and-rules": both(
        write(entries(8000), "catalogs/many.yaml"),
        write_formulas(
            {f"c{at}": f"1 if device.memory * model.params / model.params > {-at} * GB else 2" for at in range(300)}
        ),
    ),
    "aliases": write(
        "kind: devices\ntitle: Many devices\nentries:\n  dev: {name: Device of many, memory: 10, bandwidth: 100, aliases: ["
        + many("alias {at}, ", 100_000)
        + "]}\n",
        "catalogs/many.yaml",
    ),
    "pinned": edit(
        "rules/rulebook.yaml",
        "axes:\n",
        "pinned:\n  names: [price]\n  questions:\n"
        + many("    - {{model: llama-3.1-70b, context: {at}}}\n", 20_000)
        + "axes:\n",
    ),
    "pinned-misspelt": edit(
        "rules/rulebook.yaml",
        "axes:\n",
        "pinned:\n  names: ["
        + many("pric{at}e, ", 5000)
        + "]\n  questions:\n"
        + many("    - {{model: llama-3.1-70{at}b}}\n", 5000)
        + "axes:\n",
    ),
    # profiles, tests, invariants, checks
    "profiles": write_all({f"rules/profiles/p{at}.yaml": profile() for at in range(1000)}),
    "profiles-overrides": write_all(
        {
            f"rules/profiles/p{at}.yaml": profile(
                f"constants:\n  overhead: {{value: {at}, unit: GB, about: A constant.}}\n"
            )
            for at in range(300)
        }
    ),
    "profiles-and-rules": both(
        write_formulas(chain(400)),
        write_all(
            {
                f"rules/profiles/p{at}.yaml": profile(
                    f"formulas:\n  c0: {{unit: '1', about: A formula., expr: '{at}'}}\n"
                )
                for at in range(60)
            }
        ),
    ),
    "tests": write(rule_tests(15_000), "rules/many.test.yaml"),
    "tests-of-unreached": both(
        write(rule_tests(10_000), "rules/many.test.yaml"),
        write(rules(tables=bands("unreached", 20, "weights"))),
    ),
    "invariants": invariants(f"{{name: invariant number {at}, always: memory_share > {-at}}}" for at in range(10_000)),
    "invariants-monotonic": invariants(
        f"{{name: invariant number {at}, when: device.memory increases, then: memory_share never increases}}"
        for at in range(10_000)
    ),
    "invariants-causes": both(
        write_formulas(chain(500)),
        write(
            rules(
                invariants="".join(
                    f"  - {{name: invariant number {at}, when: c{at} increases, then: c{at + 1} never decreases}}\n"
                    for at in range(499)
                )
            ),
            "rules/hostile_i.yaml",
        ),
    ),
    "invariants-axes": both(
        write(entries(5000), "catalogs/many.yaml"),
        invariants(
            f"{{name: invariant number {at}, when: device changes, then: weights never changes}}" for at in range(20)
        ),
    ),
    "counts": write(
        rules(
            counts=many(
                '  n{at}: {{catalog: runs, same: [model, device, quant], unit: "1", about: A count of many.}}\n', 3000
            )
        )
    ),
    "checks": write(
        "kind: checks\ntitle: Many\nchecks:\n"
        + many("  c{at}: {{of: devices, about: A check of many., figure: memory * 2, at_most: 1}}\n", 5000),
        "rules/many.yaml",
    ),
    "checks-entries": both(
        write(entries(10_000), "catalogs/many.yaml"),
        write(
            "kind: checks\ntitle: Many\nchecks:\n"
            + many("  c{at}: {{of: devices, about: A check of many., figure: memory * 2, at_most: 100000}}\n", 2000),
            "rules/many.yaml",
        ),
    ),
    "rankings": edit(
        "rules/rankings.yaml",
        "rankings:\n",
        "rankings:\n"
        + many(
            "  r{at}: {{title: rank_devices, about: One of many., over: device, by: device.bandwidth, most: 5, item: {{d: device.id}}}}\n",
            3000,
        ),
    ),
    "filters": edit(
        "rules/rankings.yaml",
        "filters:\n",
        "filters:\n" + many("  f{at}: {{about: One of many filters., at_most: price}}\n", 20_000),
    ),
    "backtest": edit(
        "rules/backtest.yaml",
        "quantities:\n",
        "quantities:\n"
        + many(
            "  q{at}: {{title: Load time, about: One of many., measured: measured.load_time, computed: load_time}}\n",
            5000,
        ),
    ),
    # units
    "units": edit("rules/rulebook.yaml", "units:\n", "units:\n" + many("  - u{at} = [dimension{at}]\n", 10_000)),
    "units-chain": edit(
        "rules/rulebook.yaml",
        "units:\n",
        "units:\n  - u0 = [dimension]\n" + "".join(f"  - u{at} = 2 * u{at - 1}\n" for at in range(1, 5000)),
    ),
    "units-prefixes": edit("rules/rulebook.yaml", "units:\n", "units:\n" + many("  - p{at}- = 1e3\n", 3000)),
    "units-prefixes-misspelt": both(
        edit(
            "rules/rulebook.yaml",
            "units:\n",
            "units:\n" + many("  - p{at}x- = 1e3\n", 300) + many("  - u{at}x = [dimension{at}]\n", 300),
        ),
        write(rules(constants=many('  c{at}: {{value: 1, unit: "gigabite{at}", about: A constant.}}\n', 500))),
    ),
    "units-products": write_formulas(
        {f"c{at}": " * ".join(["GB", "token", "s", "W", "USD"] * 10) for at in range(2000)}
    ),
    # files
    "files": write_all(
        {f"rules/many/f{at}.yaml": rules(constants=CONSTANT.format(name=f"k{at}", value=1)) for at in range(5000)}
    ),
    "files-large": write_all({f"rules/many/f{at}.yaml": rules() + "# " + "x" * 1_900_000 for at in range(60)}),
    "files-values": write_all(
        {f"rules/many/f{at}.yaml": "kind: rules\n" + "a: [" + "1, " * 190_000 + "]\n" for at in range(20)}
    ),
    "folders-deep": write_all({"rules/" + "d/" * 800 + "f.yaml": rules()}),
    "not-formatted": write(rules(constants=many('  c{at}: {{about: A constant.,   unit: "1", value: 1}}\n', 9000))),
    "position": write_formulas({f"c{at}": "\n\n" for at in range(2)}).__class__
    and write(
        rules(
            formulas='  f: {unit: "1", about: A formula., expr: "'
            + "\\n" * 390
            + ' x"}\n'
            + many('  f{at}: {{unit: "1", about: A formula., expr: ">>>>"}}\n', 10_000)
        )
    ),
    "schema-any": layout("answer:\n" + many("  k{at}: [1, 2, {{each: 1}}]\n", 10_000)),
}

HEAVY = "(weights ** 1.0001) ** 0.9999 / weights"
AT_LIMIT: Mapping[str, Change] = {
    "l-chain": write_formulas(chain(1950)),
    "l-reverse-chain": write_formulas(reverse_chain(1950)),
    "l-paths": write_formulas(diamond(700, 20)),
    "l-cycle": write_formulas({f"c{at}": f"c{(at + 1) % 1950}" for at in range(1950)}),
    "l-cycles": write_formulas({f"c{at}": f"c{(at + 1) % 950} + c{(at + 7) % 950} + c{(at * 31) % 950}" for at in range(950)}),
    "l-current": write_formulas({"c0": "device.memory / device.memory"} | {f"c{at}": f"current.c{at - 1} + 1" for at in range(1, 1900)}),
    "l-value-of-chain": write(rules(tables="".join(
        lookup(f"t{at}", [f"w: {{value_of: t{at - 1}}}", f"x{at}: y{at}"] if at else ["w: w"], f"t{at - 1}" if at else "device.id", "word", "w")
        for at in range(1900)))),
    "l-rows": write(rules(tables=lookup("many", (f"w{at}: {at}" for at in range(4900))))),
    "l-rows-near": write(rules(tables=lookup("many", (f"h100-80gb{at}: {at}" for at in range(4900))))),
    "l-rows-tables": write(rules(tables="".join(lookup(f"t{no}", (f"w{at}: {at}" for at in range(2))) for no in range(1900)))),
    "l-bands": write(rules(tables=bands("many", 4900, "weights"))),
    "l-bands-tables": write(rules(tables="".join(bands(f"t{no}", 3, "weights") for no in range(1200)))),
    "l-knots": write(rules(tables=knots("many", 4900))),
    "l-table-names": write(rules(tables="".join(lookup(f"t{no}", (f"h100-80gb{at}: {{value_of: price}}" for at in range(49))) for no in range(100)))),
    "l-misspelt": write_formulas({f"c{at}": misspelt(at) for at in range(1950)}),
    "l-misspelt-long": write_formulas({"n" * 80 + str(at): "n" * 60 + misspelt(at) for at in range(1100)}),
    "l-misspelt-units": both(
        edit("rules/rulebook.yaml", "units:\n", "units:\n" + many("  - p{at}x- = 1e3\n", 240) + many("  - u{at}x = [dimension{at}]\n", 240)),
        write(rules(constants=many('  c{at}: {{value: 1, unit: "gigabite{at}", about: A constant.}}\n', 1900)))),
    "l-misspelt-unit-names": both(
        edit("rules/rulebook.yaml", "units:\n", "units:\n" + many("  - p{at}x- = 1e3\n", 240) + many("  - u{at}x = [dimension{at}]\n", 240)),
        write_formulas({f"c{at}": f"gigabite{at}" for at in range(1900)})),
    "l-misspelt-layout": layout("answer:\n" + many("  k{at}: memory_shar{at}x\n", 4900)),
    "l-misspelt-uses": layout("blocks:\n" + many("  b{at}x: {{z: price}}\n", 190) + "answer:\n" + many("  k{at}: {{use: b{at}}}\n", 4000)),
    "l-misspelt-messages": layout("answer:\n" + many("  k{at}: {{message: verdct{at}}}\n", 2400)),
    "l-misspelt-slots": sentences("".join(f"  s{at}: '{''.join(f'{{memory_shar{at}x{no}}}' for no in range(50))}'\n" for at in range(900))),
    "l-misspelt-tests": write(
        "kind: tests\ntitle: Many\ntests:\n"
        + many("  - {{name: test number {at}, given: {{model: llama-3.1-70b{at}x}}, expect: {{memory_shar{at}x: 1}}}}\n", 4900), "rules/many.test.yaml"),
    "l-tests-names": both(
        write(entries(15_000), "catalogs/many.yaml"),
        write("kind: tests\ntitle: Many\ntests:\n"
        + many("  - {{name: test number {at}, given: {{model: llama-3.1-70b, device: device number x{at}}}, expect: {{price: 1}}}}\n", 4900), "rules/many.test.yaml")),
    "l-tests-words": both(
        write(entries(15_000), "catalogs/many.yaml"),
        write("kind: tests\ntitle: Many\ntests:\n"
        + many("  - {{name: test number {at}, given: {{model: llama-3.1-70b, device: number device {at}}}, expect: {{price: 1}}}}\n", 4900), "rules/many.test.yaml")),
    "l-misspelt-references": write(
        "kind: runs\ntitle: Many runs\nentries:\n"
        + many("  run-x{at}: {{model: llama-3.1-70b{at}, device: h100-80g{at}, quant: Q4_K_M, context: 8000, tier: A, measured: {{load_time: 1}}}}\n", 10_000), "catalogs/many.yaml"),
    "l-misspelt-references-many": both(write(entries(10_000), "catalogs/devs.yaml"), write(
        "kind: runs\ntitle: Many runs\nentries:\n"
        + many("  run-x{at}: {{model: llama-3.1-70b, device: device number x{at}, quant: Q4_K_M, context: 8000, tier: A, measured: {{load_time: 1}}}}\n", 4000), "catalogs/many.yaml")),
    "l-misspelt-excused": write(
        "kind: checks\ntitle: Many\nchecks:\n  c: {of: devices, about: A check of many., figure: memory, at_most: 1000, except: {"
        + many("h100-80g{at}: It is not needed., ", 50_000) + "}}\n", "rules/many.yaml"),
    "l-misspelt-names": edit("catalogs/messages/en.yaml", "sentences:\n",
        "names:\n  devices:\n    name:\n" + many("      Device number {at}: x\n", 50_000) + "sentences:\n"),
    "l-layout-nodes": layout("answer:\n" + many("  k{at}: price\n", 4900)),
    "l-layout-each": layout("answer:\n" + many(EACH, 450)),
    "l-layout-profiles": both(layout("answer:\n" + many("  k{at}: price\n", 4900)),
        write_all({f"rules/profiles/p{at}.yaml": profile() for at in range(29)})),
    "l-layout-picks": layout("picks:\n" + many("  p{at}: {{axis: device, by: price}}\n", 50) + "answer:\n" + many("  k{at}: p{at}.name\n", 50)),
    "l-messages-profiles": both(
        write_all({f"rules/profiles/p{at}.yaml": profile() for at in range(29)}),
        sentences("".join(f"  s{at}: '{'{fit}' * 100}'\n" for at in range(900)))),
    "l-messages-slots": sentences("".join(f"  s{at}: '{'{fit}' * 1600}'\n" for at in range(200))),
    "l-formats": edit("catalogs/messages/en.yaml", "formats:\n", "formats:\n" + many("  f{at}: {{decimals: 1}}\n", 50_000)),
    "l-formats-misspelt": both(edit("catalogs/messages/en.yaml", "formats:\n", "formats:\n" + many("  f{at}: {{decimals: 1}}\n", 20_000)),
        sentences("".join(f"  s{at}: '{'{price:us}' * 900}'\n" for at in range(200)))),
    "l-conditions": write_formulas({f"c{at}": " + ".join([CONDITION] * 8) for at in range(350)}),
    "l-conditions-hard": write_formulas({f"c{at}": f"1 if memory_share > {-at} else 2" for at in range(1900)}),
    "l-calls": write_formulas({f"c{at}": "min(" + ", ".join(["device.memory"] * 25) + ")" for at in range(250)}, "GB"),
    "l-heavy": write_formulas({f"c{at}": f"({HEAVY}) * {at}" for at in range(1900)}),
    "l-formulas": write_formulas({f"c{at}": f"weights / weights * {at}" for at in range(1900)}),
    "l-not-finite": write_formulas({f"c{at}": f"{at} / (weights - weights)" for at in range(1900)}),
    "l-constants": write(rules(constants="".join(CONSTANT.format(name=f"k{no}", value=no) for no in range(1900)))),
    "l-axes": axes(16),
    "l-axes-formulas": both(axes(16), write_formulas({f"w{at}": f"1 if {'+'.join(f'a{no}.memory' for no in range(16))} > {-at} * GB else 2" for at in range(300)})),
    "l-axes-table": both(axes(16), write_formulas({"wide": "+".join(f"a{no}.memory" for no in range(16))}, "GB"), write(rules(tables=bands("t", 100, "wide")), "rules/t.yaml")),
    "l-inputs": edit("rules/rulebook.yaml", "inputs:\n", "inputs:\n" + many("  i{at}: {{unit: token, minimum: 1, maximum: 9, about: One of many inputs.}}\n", 49)),
    "l-entries": write(entries(15_000), "catalogs/many.yaml"),
    "l-entries-rules": both(write(entries(8000), "catalogs/many.yaml"),
        write_formulas({f"c{at}": f"1 if device.memory * model.params / model.params > {-at} * GB else 2" for at in range(900)})),
    "l-entries-hard": both(write(entries(8000), "catalogs/many.yaml"),
        write_formulas({f"c{at}": f"1 if memory_share > {-at} else 2" for at in range(900)})),
    "l-entries-axis": both(write(entries(8000), "catalogs/many.yaml"),
        invariants(f"{{name: invariant number {at}, when: device changes, then: weights never changes}}" for at in range(200))),
    "l-entries-axis-heavy": both(write(entries(8000), "catalogs/many.yaml"), write_formulas(chain(1500, "memory_share")),
        write(rules(invariants="".join(f"  - {{name: invariant number {at}, when: device changes, then: c{at} never changes}}\n" for at in range(200))), "rules/i.yaml")),
    "l-pinned": edit("rules/rulebook.yaml", "axes:\n", "pinned:\n  names: [" + many("pric{at}e, ", 90) + "]\n  questions:\n" + many("    - {{model: llama-3.1-70{at}b}}\n", 90) + "axes:\n"),
    "l-profiles": write_all({f"rules/profiles/p{at}.yaml": profile(f"constants:\n  overhead: {{value: {at + 1}, unit: GB, about: A constant.}}\n") for at in range(29)}),
    "l-profiles-rules": both(
        write_formulas(chain(320)),
        write_all({f"rules/profiles/p{at}.yaml": profile(f"formulas:\n  c0: {{unit: '1', about: A formula., expr: '{at}'}}\n") for at in range(28)})),
    "l-profiles-heavy": both(
        write_formulas({f"c{at}": f"({HEAVY}) * {at}" for at in range(320)}),
        write_all({f"rules/profiles/p{at}.yaml": profile(f"constants:\n  overhead: {{value: {at + 1}, unit: GB, about: A constant.}}\n") for at in range(28)})),
    "l-tests": write(rule_tests(4900), "rules/many.test.yaml"),
    "l-tests-unreached": both(write(rule_tests(4900), "rules/many.test.yaml"), write(rules(tables=bands("unreached", 20, "weights")))),
    "l-invariants": invariants(f"{{name: invariant number {at}, always: memory_share > {-at - 1}}}" for at in range(290)),
    "l-invariants-monotonic": both(write_formulas(chain(1600, "memory_share")), write(rules(invariants="".join(
        f"  - {{name: invariant number {at}, when: c{at} increases, then: c1599 never decreases}}\n" for at in range(290))), "rules/i.yaml")),
    "l-invariants-heavy": both(write_formulas({"h0": "memory_share"} | {f"h{at}": f"h{at - 1} ** 1.0001 + 1" for at in range(1, 1600)}), write(rules(invariants="".join(
        f"  - {{name: invariant number {at}, when: h{at} increases, then: h1599 never decreases}}\n" for at in range(290))), "rules/i.yaml")),
    "l-counts": write(rules(counts=many('  n{at}: {{catalog: runs, same: [model, device, quant], unit: "1", about: A count of many.}}\n', 1900))),
    "l-counts-entries": both(
        write("kind: runs\ntitle: Many runs\nentries:\n" + many("  run-x{at}: {{model: llama-3.1-70b, device: h100-80gb, quant: Q4_K_M, context: 8000, tier: A, measured: {{load_time: 1}}}}\n", 12_000), "catalogs/many.yaml"),
        write(rules(counts=many('  n{at}: {{catalog: runs, same: [model, device, quant], unit: "1", about: A count of many.}}\n', 1900)))),
    "l-checks": both(write(entries(10_000), "catalogs/many.yaml"),
        write("kind: checks\ntitle: Many\nchecks:\n" + many("  c{at}: {{of: devices, about: A check of many., figure: memory * 2, at_most: 1}}\n", 290), "rules/many.yaml")),
    "l-alike": both(write(entries(10_000), "catalogs/many.yaml"),
        write("kind: checks\ntitle: Many\nalike:\n" + many("  c{at}: {{of: devices, about: A check of many., but_for: [name]}}\n", 290), "rules/many.yaml")),
    "l-rankings": edit("rules/rankings.yaml", "rankings:\n", "rankings:\n" + many("  r{at}: {{title: rank_devices, about: One of many., over: device, by: device.bandwidth, most: 5, item: {{d: device.id}}}}\n", 29)),
    "l-backtest": edit("rules/backtest.yaml", "quantities:\n", "quantities:\n" + many("  q{at}: {{title: Load time, about: One of many., measured: measured.load_time, computed: load_tim{at}}}\n", 49)),
    "l-units": edit("rules/rulebook.yaml", "units:\n", "units:\n" + many("  - u{at} = [dimension{at}]\n", 480)),
    "l-units-products": write_formulas({f"c{at}": " * ".join(["GB", "token", "s", "W", "USD"] * 5) for at in range(900)}),
    "l-units-chain": edit("rules/rulebook.yaml", "units:\n", "units:\n  - u0 = [dimension]\n" + "".join(f"  - u{at} = 1.000001 * u{at - 1} / s * s\n" for at in range(1, 480))),
    "l-yaml-values": write_all({f"rules/many/f{at}.yaml": rules() + "extra: [" + "1, " * 5_000 + "]\n" for at in range(20)}),
    "l-yaml-invalid": write_all({f"catalogs/many/f{at}.yaml": entries(700).replace("dev-", f"d{at}-") + "extra: 1\n" for at in range(30)}),
    "l-yaml-invalid-last": write_all({f"catalogs/many/f{at}.yaml": entries(700).replace("dev-", f"d{at}-") + "  bad: {name: 1, memory: x}\n" for at in range(30)}),
    "l-duplicate-ids": write_all({f"catalogs/many/f{at}.yaml": entries(2000) for at in range(12)}),
    "l-yaml-long-lines": write(rules(formulas="".join(FORMULA.format(name=f"c{at}", unit="1", expr="1 +\\n" * 60 + " x") for at in range(300)))),
}
HOSTILE_RULEBOOKS = {**HOSTILE_RULEBOOKS, **AT_LIMIT}
HOSTILES = tuple(Hostile(name, change) for name, change in HOSTILE_RULEBOOKS.items())


def quoted(text: str) -> str:
    """The text in double quotes."""
    return json.dumps(text)
