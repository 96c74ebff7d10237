"""Proves the layout and the sentences against a rule set: every name, axis, entry and sentence they use is there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from fitcard.language.question_fields import CURRENT, entry_field
from fitcard.language.rule_set import RuleSet, field_names
from fitcard.problems import Problem, ProblemCode, Severity
from fitcard.rulebook.layout import (
    AlongNode,
    EachNode,
    Layout,
    MatchingNode,
    MessageNode,
    Node,
    Override,
    ValueNode,
    referenced_values,
    walk,
)
from fitcard.rulebook.messages import Languages, MessageMissing, Messages, MessageUnused, check_slots
from fitcard.source.document import Path
from fitcard.suggest import closest
from fitcard.values import Kind


class LayoutUnknown(ProblemCode):
    """The layout refers to a rule, axis, entry, input or sentence that does not exist.

    Why: that part of every answer would be missing.
    Avoid: `needed_gb: needed_memroy`
    Prefer: `needed_gb: needed_memory`
    """


class LayoutKind(ProblemCode):
    """The layout uses a value of the wrong kind.

    Why: lists are ordered by numbers and filtered by conditions.
    Avoid: `where: memory_ratio`
    Prefer: `where: fits_whole`
    """


class LayoutNested(ProblemCode):
    """A list of the layout is nested in another list.

    Why: its rows would be computed once for each row of the outer list.
    Avoid: `each: quant` inside `each: workload`
    Prefer: two separate lists.
    """


class LayoutPicked(ProblemCode):
    """The rows of a list depend on an entry that is picked from rows.

    Why: all rows are computed at once, before an entry is picked.
    Avoid: `changed: {context: recommended_quant.bits}`
    Prefer: a formula over figures of the question itself.
    """


class FigureShown(ProblemCode):
    """A figure with `shown` cannot stand in an answer: it is a condition, it is compared with the question, or the
    condition under which it is shown is none.

    Why: an answer shows single numbers and words under `figures`.
    Avoid: `shown: true` for `fits_whole`, or for `decode_gain`, which reads `current.decode_tok_s`
    Prefer: a number with a unit, or a table of words; `shown: tdp_known` where it needs a figure that may be absent.
    """


RULES = {"rules.version": Kind.WORD, "rules.sha256": Kind.WORD, "rules.profile": Kind.WORD, "site": Kind.WORD}


def check_layout(
    layout: Layout, languages: Languages, rule_set: RuleSet, said: Iterable[str] = ()
) -> Iterator[Problem]:
    """All that does not fit, in the layout and in the sentences of each language, of which the first is the default.

    Sentences that are `used_messages` elsewhere are of use.
    """
    default = next(iter(languages.values()))
    checker = LayoutChecker(layout, default, rule_set)
    checker.used_messages.update(said)
    for pick in layout.picks.values():
        if pick.axis not in rule_set.question_fields.axes:
            yield checker.unknown(
                "axis", pick.axis, ValueNode(pick.axis, (*pick.path, "axis")), list(rule_set.question_fields.axes)
            )
            return
    for pick in layout.picks.values():
        yield from checker.value(pick.by, Kind.NUMBER)
        yield from checker.change(pick.override, pick.path)
    yield from checker.node(layout.root)
    for messages in languages.values():
        yield from check_slots(messages, checker.kind, checker.words, checker.known)
        yield from _missing(messages, checker.used_messages & set(default.sentences))
        yield from _unused(messages, checker.used_messages)


def check_figures(rule_set: RuleSet) -> Iterator[Problem]:
    """Figures that are shown and cannot be."""
    for figure in rule_set.figures:
        path: Path = (*figure.path, "shown")
        if rule_set.kinds.get(figure.name) is Kind.CONDITION:
            message, hint = f"`{figure.name}` is a condition", "show a number, or a table of words"
            yield figure.document.problem(FigureShown, message, path, hint=hint)
        elif _is_compared(rule_set, figure.name):
            message, hint = f"`{figure.name}` is compared with the question", "show a value of a single question"
            yield figure.document.problem(FigureShown, message, path, hint=hint)
        if isinstance(figure.shown, str) and rule_set.kinds.get(figure.shown) is not Kind.CONDITION:
            conditions = [name for name, kind in rule_set.kinds.items() if kind is Kind.CONDITION]
            message, near = f"there is no condition `{figure.shown}`", closest(figure.shown, conditions)
            yield figure.document.problem(FigureShown, message, path, closest=near)


def _is_compared(rule_set: RuleSet, name: str) -> bool:
    """Whether the question's own row is among what a value depends on."""
    seen: set[str] = set()
    stack = [name]
    while stack:
        read = stack.pop()
        if read.startswith(f"{CURRENT}."):
            return True
        if read in rule_set.definitions and read not in seen:
            seen.add(read)
            stack += rule_set.definitions[read].reads
    return False


def _missing(messages: Messages, said: Collection[str]) -> Iterator[Problem]:
    for key in sorted(set(said) - set(messages.sentences)):
        message, hint = f"the text `{key}` is missing from sentences", f"add `{key}:`"
        yield messages.document.problem(MessageMissing, message, ("sentences",), key=True, hint=hint)


def _unused(messages: Messages, said: Collection[str]) -> Iterator[Problem]:
    for key in messages.sentences:
        if key not in said:
            message, hint = f"the sentence `{key}` is never used", "use it in the layout, or remove it"
            path = ("sentences", key)
            yield messages.document.problem(
                MessageUnused, message, path, key=True, severity=Severity.WARNING, hint=hint
            )


class LayoutChecker:
    """Proves the names, sentences and lists of one layout; `used_messages` are the sentences that it has met."""

    def __init__(self, layout: Layout, messages: Messages, rule_set: RuleSet) -> None:
        self.layout, self.messages, self.rule_set = layout, messages, rule_set
        self.used_messages: set[str] = set()
        self._kinds: dict[str, Kind | None] = dict(RULES)

    def kind(self, name: str) -> Kind | None:
        """What kind of value the name stands for in a layout or a sentence; None where there is no such name."""
        if name not in self._kinds:  # the sentences of each language ask for the same names
            found = self.rule_set.describe(self.layout.name_in_rules(name, self.rule_set))
            self._kinds[name] = found.kind if found else None
        return self._kinds[name]

    def known(self) -> list[str]:
        """Every name that a layout or a sentence may use."""
        fields = field_names(self.rule_set.question_fields, self.rule_set.catalogs)
        picked = [
            f"{pick.name}.{field}"
            for pick in self.layout.picks.values()
            for field in self.rule_set.catalogs[self.rule_set.question_fields.axes[pick.axis].catalog].fields
        ]
        return [*self.rule_set.definitions, *fields, *picked, *RULES]

    def words(self, name: str) -> tuple[str, ...]:
        """Every word that the name can stand for."""
        name = self.layout.name_in_rules(name, self.rule_set)
        rules = self.rule_set
        words, may_be_absent = rules.possible_words(name)
        return (*words, str(None)) if may_be_absent else words

    def unknown(self, what: str, word: str, at: ValueNode, known: list[str]) -> Problem:
        """That there is no `what` of that name."""
        near = closest(word, known)
        return self.layout.document.problem(LayoutUnknown, f"there is no {what} `{word}`", at.path, closest=near)

    def value(self, value: ValueNode, wanted: Kind | None = None) -> Iterator[Problem]:
        """A name that is not there, or that gives another kind of value than is wanted."""
        found = self.kind(value.name)
        if found is None:
            yield self.unknown("name", value.name, value, self.known())
        elif wanted is not None and found is not wanted:
            message = f"this must be a {wanted}, but `{value.name}` is a {found}"
            hint = f"use a name that gives a {wanted}"
            yield self.layout.document.problem(LayoutKind, message, value.path, hint=hint)

    def change(self, change: Override, path: tuple[str | int, ...]) -> Iterator[Problem]:
        """Entries, inputs and names of a change that are not there."""
        for axis, entry in change.entries.items():
            catalog = self.rule_set.catalogs[self.rule_set.question_fields.axes[axis].catalog]
            if entry not in catalog.entries:
                yield self.unknown("entry", entry, ValueNode(entry, (*path, "with", axis)), list(catalog.ids))
        for name, value in change.inputs.items():
            if name not in self.rule_set.question_fields.inputs:
                known = [*self.rule_set.question_fields.inputs, *self.rule_set.question_fields.axes]
                yield self.unknown("input", name, ValueNode(name, value.path), known)
            yield from self.of_question(value, Kind.NUMBER)

    def of_question(self, value: ValueNode, wanted: Kind) -> Iterator[Problem]:
        """A name that is not there, gives another kind of value, or is only known once all rows are there."""
        if value.name.partition(".")[0] in self.layout.picks:
            message = f"`{value.name}` belongs to an entry that is picked from the rows"
            hint = "use a figure of the question itself"
            yield self.layout.document.problem(LayoutPicked, message, value.path, hint=hint)
        yield from self.value(value, wanted)

    def node(self, node: Node) -> Iterator[Problem]:
        """All that does not fit in a part of the layout."""
        for value in referenced_values(node):
            yield from self.value(value)
        for part in walk(node):
            if isinstance(part, MessageNode):
                self.used_messages.add(part.key)
                if part.key not in self.messages.sentences:
                    yield self.unknown(
                        "sentence", part.key, ValueNode(part.key, part.path), list(self.messages.sentences)
                    )
            elif isinstance(part, EachNode):
                yield from self.each(part)
            elif isinstance(part, AlongNode):
                yield from self.along(part)
            elif isinstance(part, MatchingNode):
                yield from self.matching(part)

    def along(self, along: AlongNode) -> Iterator[Problem]:
        """An input that is not there, an end that is no number, and lists inside."""
        if along.input not in self.rule_set.question_fields.inputs:
            at = ValueNode(along.input, (*along.path, "along"))
            yield self.unknown("input", along.input, at, list(self.rule_set.question_fields.inputs))
        yield from self.of_question(along.up_to, Kind.NUMBER)
        yield from self.no_list(along)
        yield from self.node(along.item)

    def no_list(self, outer: EachNode | AlongNode) -> Iterator[Problem]:
        """A list inside of one."""
        if any(isinstance(part, EachNode | AlongNode) for part in walk(outer.item)):
            yield self.layout.document.problem(
                LayoutNested, "lists cannot be nested", outer.path, hint="make it a separate list"
            )

    def matching(self, matching: MatchingNode) -> Iterator[Problem]:
        """A catalog that is not there, and fields that its entries do not have."""
        catalog = self.rule_set.catalogs.get(matching.catalog)
        if catalog is None:
            at = ValueNode(matching.catalog, (*matching.path, "matching"))
            yield self.unknown("catalog", matching.catalog, at, list(self.rule_set.catalogs))
            return
        wanted: dict[tuple[str | int, ...], str] = {
            ("same", at): entry_field(word) for at, word in enumerate(matching.same)
        }
        wanted |= {("item", key): field for key, field in matching.item.items()}
        wanted |= {("having",): matching.having} if matching.having else {}
        for path, field in wanted.items():
            if field not in catalog.keys:
                yield self.unknown("figure", field, ValueNode(field, (*matching.path, *path)), sorted(catalog.keys))

    def each(self, each: EachNode) -> Iterator[Problem]:
        """All that does not fit in a list."""
        yield from self.no_list(each)
        if each.axis and each.axis not in self.rule_set.question_fields.axes:
            yield self.unknown(
                "axis", each.axis, ValueNode(each.axis, (*each.path, "each")), list(self.rule_set.question_fields.axes)
            )
        if each.when:
            yield from self.of_question(each.when, Kind.CONDITION)
        if each.where:
            yield from self.value(each.where, Kind.CONDITION)
        if each.order:
            yield from self.value(each.order, Kind.NUMBER)
        yield from self.change(each.override, each.path)
        yield from self.node(each.item)
