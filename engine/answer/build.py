"""From a question to its answer: the grids that the layout needs are evaluated, and the layout is filled from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from engine.answer.question import Question
from engine.evaluate.evaluation import Evaluation, Scalar, evaluate
from engine.evaluate.grid import Grid
from engine.evaluate.trace import trace
from engine.rulebook.layout import Branch, Change, Each, Items, Literal, Node, Pick, Said, Value, parts_of, values_of
from engine.rulebook.rule_set import RuleSet
from engine.rulebook.rulebook import Rulebook
from engine.rulebook.subject import CURRENT


def answer(rulebook: Rulebook, question: Question, *, explain: bool = False, site: str = "") -> dict[str, Any]:
    """The answer as plain data, in the shape of `answer.schema.json`; with `explain`, the trace of each number.

    `site` stands before the paths of addresses. Raises ProblemsFound where a number comes out that is not finite.
    """
    return _Answer(rulebook, question, explain, site).build()


@dataclass(frozen=True)
class _Row:
    """One cell of an evaluated grid: where a part of the layout takes its values from."""

    evaluation: Evaluation
    index: tuple[int, ...]

    def value(self, name: str) -> Scalar:
        return self.evaluation.value(name, self.index)

    def at(self, axis: str, number: int) -> _Row:
        axes = list(self.evaluation.grid.ids)
        index = tuple(number if other == axis else at for other, at in zip(axes, self.index, strict=True))
        return replace(self, index=index)


@dataclass
class _Answer:
    rulebook: Rulebook
    question: Question
    explain: bool
    site: str
    picked: dict[str, _Row] = field(default_factory=dict)
    steps: dict[str, Any] = field(default_factory=dict)

    @property
    def rules(self) -> RuleSet:
        return self.rulebook.rule_sets[self.question.profile]

    def build(self) -> dict[str, Any]:
        layout = self.rulebook.layout
        lists = [part for part in parts_of(layout.root) if isinstance(part, Each)]
        shared = [each for each in lists if self._shares_the_grid(each)]
        shown = self._names(layout.root)
        compared = {name.partition(".")[2] for each in lists for name in self._current_names(each)}
        inputs = {value.name for asker in (*lists, *layout.picks.values()) for value in asker.change.inputs.values()}
        outputs = shown | compared | inputs | {name for each in shared for name in self._item_names(each)}
        self.asked = self._ask(self._plain(outputs), Change(), tuple(each.axis for each in shared))
        for pick in layout.picks.values():
            self.picked[pick.name] = self._pick(pick, shown)
        if self.explain:  # before the lists, whose items show only what differs
            steps = trace(self.asked.evaluation, self.asked.index, self._plain(shown))
            self.steps = {step["name"]: step for step in steps}
        built: dict[str, Any] = self._build(layout.root, self.asked)
        return built | {"trace": list(self.steps.values())} if self.explain else built

    def _shares_the_grid(self, each: Each) -> bool:
        """Whether a list asks the question's own grid, with one axis opened: then one evaluation serves both."""
        return not each.change and not self._current_names(each)

    def _ask(self, outputs: Iterable[str], change: Change, open_axes: tuple[str, ...], current: Mapping[str, Scalar] | None = None) -> _Row:
        """The row of the question, as changed, in a grid where `open_axes` run over their whole catalogs."""
        entries = {**self.question.entries, **change.entries}
        inputs = {**self.question.inputs, **{name: float(self.asked.value(value.name) or 0) for name, value in change.inputs.items()}}
        ids = {axis: self.rulebook.catalog_of(axis).ids if axis in open_axes else (entry,) for axis, entry in entries.items()}
        grid = Grid.of(self.rules.subject, self.rules.catalogs, ids)
        evaluation = evaluate(self.rules, grid, outputs, inputs, current=current)
        index = tuple(ids.index(entries[axis]) for axis, ids in grid.ids.items())
        return _Row(evaluation, index)

    def _pick(self, pick: Pick, shown: set[str]) -> _Row:
        space = f"{pick.name}."
        wanted = {self._picked_name(pick, name) for name in shown if name.startswith(space)}
        row = self._ask(wanted | {pick.by.name}, pick.change, (pick.axis,))
        best = max(range(len(self.rulebook.catalog_of(pick.axis).ids)), key=lambda at: float(row.at(pick.axis, at).value(pick.by.name) or 0))
        return row.at(pick.axis, best)

    def _picked_name(self, pick: Pick, name: str) -> str:
        rest = name.partition(".")[2]
        of_entry = f"{pick.axis}.{rest}"
        return of_entry if self.rules.describe(of_entry) else rest

    def _names(self, node: Node) -> set[str]:
        """All names that a part of the layout shows, sentences included."""
        said = [part.key for part in parts_of(node) if isinstance(part, Said)]
        in_sentences = {name for key in said for name in self.rulebook.messages.sentences[key].names}
        return {value.name for value in values_of(node)} | in_sentences

    def _plain(self, names: Iterable[str]) -> set[str]:
        """Those of the names that the evaluator knows."""
        return {name for name in names if self.rules.describe(name)}

    def _item_names(self, each: Each) -> set[str]:
        extra = {value.name for value in (each.where, each.order) if value}
        return self._plain(self._names(each.item) | extra)

    def _current_names(self, each: Each) -> set[str]:
        """The names of the asked-for row that the items are compared with."""
        plan = self.rules.plan(self._item_names(each))
        return {f"{CURRENT}.{name}" for name in plan.current}

    def _value(self, name: str, row: _Row) -> Scalar:
        if name in row.evaluation.columns:
            return row.value(name)
        space, _, rest = name.partition(".")
        if space in self.picked:
            picked = self.rulebook.layout.picks[space]
            return self.picked[space].value(self._picked_name(picked, name))
        own: dict[str, Scalar] = {
            "rules.version": self.rulebook.version,
            "rules.sha256": self.rulebook.sha256,
            "rules.profile": self.question.profile,
            "site": self.site,
        }
        return own[name]

    def _build(self, node: Node, row: _Row) -> Any:
        match node:
            case Value():
                return _plain_number(self._value(node.name, row))
            case Said():
                say: Callable[[str], Scalar] = lambda name: self._value(name, row)  # noqa: E731
                return self.rulebook.messages.sentences[node.key].write(say, self.rulebook.messages.formats)
            case Literal():
                return node.text
            case Branch():
                if node.when and not self._value(node.when.name, row):
                    return None
                return {key: self._build(part, row) for key, part in node.parts.items()}
            case Items():
                built = [self._build(part, row) for part in node.parts]
                return [part for part in built if part is not None]
            case Each():
                return self._list(node)
        raise AssertionError(node)

    def _list(self, each: Each) -> list[Any]:
        names = self._item_names(each)
        if self._shares_the_grid(each):
            row = self.asked
        else:
            current = {name.partition(".")[2]: self.asked.value(name.partition(".")[2]) for name in self._current_names(each)}
            row = self._ask(names, each.change, (each.axis,), current)
        rows = [row.at(each.axis, at) for at in range(len(self.rulebook.catalog_of(each.axis).ids))]
        if each.where:
            rows = [row for row in rows if row.value(each.where.name)]
        if each.order:
            order = each.order.name
            rows.sort(key=lambda row: float(row.value(order) or 0))
        return [self._item(each, row, names) for row in rows[: each.most]]

    def _item(self, each: Each, row: _Row, names: set[str]) -> Any:
        item = self._build(each.item, row)
        if self.explain and isinstance(item, dict):  # what is the same as for the question was traced there
            steps = trace(row.evaluation, row.index, names)
            item["trace"] = [step for step in steps if step != self.steps.get(step["name"])]
        return item


def _plain_number(value: Scalar) -> Scalar | int:
    """Whole numbers without a decimal point, as they are read."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
