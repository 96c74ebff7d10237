"""Checks of the layout and of sentences against a rule set: every name, axis, entry and sentence in them exists."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from fitcard.catalog.catalog import Catalog
from fitcard.language.question_fields import CURRENT, entry_field
from fitcard.language.rule_set import RuleSet, field_names
from fitcard.problems import Problem, ProblemCode, Severity
from fitcard.rulebook.layout import (
    AlongNode,
    Contradiction,
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
from fitcard.rulebook.layout_reader import FIELD
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
    """The rows of a list, or a contradiction, depend on an entry that is picked from rows, or on a comparison.

    Why: all rows are computed at once, before an entry is picked; and a question is refused before its rows.
    Avoid: `changed: {context: recommended_quant.bits}`
    Prefer: a formula over figures of the question itself.
    """


class FigureShown(ProblemCode):
    """A figure with `shown` is a condition or depends on `current.`, or its `shown` is not a condition.

    Why: an answer shows single numbers and words under `figures`.
    Avoid: `shown: true` for `fits_whole`, or for `decode_gain`, which reads `current.decode_tok_s`
    Prefer: a number with a unit, or a table of words; `shown: tdp_known` for a figure that may be absent.
    """


FACTS = {"rules.version": Kind.WORD, "rules.sha256": Kind.WORD, "rules.profile": Kind.WORD, "site": Kind.WORD}


def check_layout(
    layout: Layout, languages: Languages, rule_set: RuleSet, used_elsewhere: Iterable[str] = ()
) -> Iterator[Problem]:
    """Problems of the layout, and of the sentences of each language; the first language is the default.

    `used_elsewhere` are keys of sentences that are used outside the layout.
    """
    default = next(iter(languages.values()))
    axes = rule_set.question_fields.axes
    checker = LayoutChecker(layout, default, rule_set)
    checker.used_messages.update(used_elsewhere)
    for pick in layout.picks.values():
        if pick.axis not in axes:
            yield checker.unknown("axis", pick.axis, (*pick.path, "axis"), list(axes))
            return
    for pick in layout.picks.values():
        yield from checker.value(pick.by, Kind.NUMBER)
        yield from checker.override(pick.override, pick.path)
    yield from checker.node(layout.root)
    for contradiction in layout.contradictions:
        yield from checker.contradiction(contradiction)
    for messages in languages.values():
        yield from check_slots(messages, checker.kind, checker.words, checker.known_names)
        yield from _missing(messages, checker.used_messages & set(default.sentences))
        yield from _unused(messages, checker.used_messages)


def check_figures(rule_set: RuleSet) -> Iterator[Problem]:
    """Problems of figures with `shown`."""
    for figure in rule_set.figures:
        path: Path = (*figure.path, "shown")
        if rule_set.kinds.get(figure.name) is Kind.CONDITION:
            message, hint = f"`{figure.name}` is a condition", "show a number, or a table of words"
            yield figure.document.problem(FigureShown, message, path, hint=hint)
        elif _reads_current(rule_set, figure.name):
            message, hint = f"`{figure.name}` is compared with the question", "show a value of a single question"
            yield figure.document.problem(FigureShown, message, path, hint=hint)
        if isinstance(figure.shown, str) and rule_set.kinds.get(figure.shown) is not Kind.CONDITION:
            conditions = [name for name, kind in rule_set.kinds.items() if kind is Kind.CONDITION]
            message, near = f"there is no condition `{figure.shown}`", closest(figure.shown, conditions)
            yield figure.document.problem(FigureShown, message, path, closest=near)


def _reads_current(rule_set: RuleSet, name: str) -> bool:
    """Whether a value depends on `current.`, the question that variants are compared with."""
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


def _missing(messages: Messages, keys: Collection[str]) -> Iterator[Problem]:
    for key in sorted(set(keys) - set(messages.sentences)):
        message, hint = f"the text `{key}` is missing from sentences", f"add `{key}:`"
        yield messages.document.problem(MessageMissing, message, ("sentences",), key=True, hint=hint)


def _unused(messages: Messages, used: Collection[str]) -> Iterator[Problem]:
    for key in messages.sentences:
        if key not in used:
            message, hint = f"the sentence `{key}` is never used", "use it in the layout, or remove it"
            path, severity = ("sentences", key), Severity.WARNING
            yield messages.document.problem(MessageUnused, message, path, key=True, severity=severity, hint=hint)


class LayoutChecker:
    """Checks the names, sentences and lists of a layout. `used_messages` collects the keys of its sentences."""

    def __init__(self, layout: Layout, messages: Messages, rule_set: RuleSet) -> None:
        self.layout, self.messages, self.rule_set = layout, messages, rule_set
        self.question_fields = rule_set.question_fields
        self.used_messages: set[str] = set()
        self._kinds: dict[str, Kind | None] = dict(FACTS)

    def kind(self, name: str) -> Kind | None:
        """The kind of a name in a layout or sentence; None if it does not exist."""
        if name not in self._kinds:  # sentences of all languages use the same names
            info = self.rule_set.describe(self.layout.name_in_rules(name, self.rule_set))
            self._kinds[name] = info.kind if info else None
        return self._kinds[name]

    def known_names(self) -> list[str]:
        """All names that a layout or sentence may use."""
        fields = field_names(self.question_fields, self.rule_set.catalogs)
        of_picks = [
            f"{pick.name}.{field}" for pick in self.layout.picks.values() for field in self._catalog(pick.axis).fields
        ]
        return [*self.rule_set.definitions, *fields, *of_picks, *FACTS]

    def words(self, name: str) -> tuple[str, ...]:
        """All words that a name can have."""
        words, may_be_absent = self.rule_set.possible_words(self.layout.name_in_rules(name, self.rule_set))
        return (*words, str(None)) if may_be_absent else words

    def unknown(self, what: str, word: str, path: Path, known: Sequence[str]) -> Problem:
        """The problem that there is no `what` called `word`."""
        message, near = f"there is no {what} `{word}`", closest(word, known)
        return self.layout.document.problem(LayoutUnknown, message, path, closest=near)

    def value(self, value: ValueNode, expected: Kind | None = None) -> Iterator[Problem]:
        """A name that does not exist, or is not of the expected kind."""
        kind = self.kind(value.name)
        if kind is None:
            yield self.unknown("name", value.name, value.path, self.known_names())
        elif expected is not None and kind is not expected:
            message = f"this must be a {expected}, but `{value.name}` is a {kind}"
            hint = f"use a name that gives a {expected}"
            yield self.layout.document.problem(LayoutKind, message, value.path, hint=hint)

    def override(self, override: Override, path: Path) -> Iterator[Problem]:
        """Entries, inputs and names that do not exist."""
        for axis, entry in override.entries.items():
            catalog = self._catalog(axis)
            if entry not in catalog.entries:
                yield self.unknown("entry", entry, (*path, "with", axis), catalog.ids)
        for name, value in override.inputs.items():
            if name not in self.question_fields.inputs:
                yield self.unknown(
                    "input", name, value.path, [*self.question_fields.inputs, *self.question_fields.axes]
                )
            yield from self.own_value(value, Kind.NUMBER)

    def own_value(self, value: ValueNode, expected: Kind) -> Iterator[Problem]:
        """A value that is not of the question's own row, or not of the expected kind."""
        if value.name.partition(".")[0] in self.layout.picks:
            message = f"`{value.name}` belongs to an entry that is picked from the rows"
            hint = "use a figure of the question itself"
            yield self.layout.document.problem(LayoutPicked, message, value.path, hint=hint)
        yield from self.value(value, expected)

    def node(self, node: Node) -> Iterator[Problem]:
        """All problems of a node."""
        for value in referenced_values(node):
            yield from self.value(value)
        for part in walk(node):
            if isinstance(part, MessageNode):
                yield from self.sentence(part)
            elif isinstance(part, EachNode):
                yield from self.each(part)
            elif isinstance(part, AlongNode):
                yield from self.along(part)
            elif isinstance(part, MatchingNode):
                yield from self.matching(part)

    def sentence(self, node: MessageNode) -> Iterator[Problem]:
        """A sentence that does not exist."""
        self.used_messages.add(node.key)
        if node.key not in self.messages.sentences:
            yield self.unknown("sentence", node.key, node.path, list(self.messages.sentences))

    def contradiction(self, contradiction: Contradiction) -> Iterator[Problem]:
        """A field or a sentence that does not exist, and names that have no value for the question alone."""
        yield from self.value(contradiction.when, Kind.CONDITION)
        fields = [*self.question_fields.inputs, *self.question_fields.axes]
        if contradiction.field not in fields:
            yield self.unknown("field of a question", contradiction.field, (*contradiction.path, FIELD), fields)
        sentence = contradiction.sentence
        yield from self.sentence(sentence)
        in_sentence = self.messages.sentences[sentence.key].names if sentence.key in self.messages.sentences else ()
        named = {contradiction.when.name: contradiction.when.path, **dict.fromkeys(in_sentence, sentence.path)}
        for name, path in named.items():
            if name.partition(".")[0] in self.layout.picks or _reads_current(self.rule_set, name):
                message, hint = f"`{name}` is not a value of the question alone", "use a figure of the question itself"
                yield self.layout.document.problem(LayoutPicked, message, path, hint=hint)

    def each(self, each: EachNode) -> Iterator[Problem]:
        """All problems of a list over an axis."""
        yield from self._nested_lists(each)
        if each.axis and each.axis not in self.question_fields.axes:
            yield self.unknown("axis", each.axis, (*each.path, "each"), list(self.question_fields.axes))
        if each.when:
            yield from self.own_value(each.when, Kind.CONDITION)
        if each.where:
            yield from self.value(each.where, Kind.CONDITION)
        if each.order:
            yield from self.value(each.order, Kind.NUMBER)
        yield from self.override(each.override, each.path)
        yield from self.node(each.item)

    def along(self, along: AlongNode) -> Iterator[Problem]:
        """All problems of a list along an input."""
        if along.input not in self.question_fields.inputs:
            yield self.unknown("input", along.input, (*along.path, "along"), list(self.question_fields.inputs))
        yield from self.own_value(along.up_to, Kind.NUMBER)
        yield from self._nested_lists(along)
        yield from self.node(along.item)

    def matching(self, matching: MatchingNode) -> Iterator[Problem]:
        """A catalog that does not exist, and fields that its entries do not have."""
        catalog = self.rule_set.catalogs.get(matching.catalog)
        if catalog is None:
            yield self.unknown("catalog", matching.catalog, (*matching.path, "matching"), list(self.rule_set.catalogs))
            return
        fields: dict[Path, str] = {("same", at): entry_field(word) for at, word in enumerate(matching.same)}
        fields |= {("item", key): field for key, field in matching.item.items()}
        if matching.having:
            fields[("having",)] = matching.having
        for path, field in fields.items():
            if field not in catalog.keys:
                yield self.unknown("figure", field, (*matching.path, *path), sorted(catalog.keys))

    def _nested_lists(self, outer: EachNode | AlongNode) -> Iterator[Problem]:
        if any(isinstance(part, EachNode | AlongNode) for part in walk(outer.item)):
            message, hint = "lists cannot be nested", "make it a separate list"
            yield self.layout.document.problem(LayoutNested, message, outer.path, hint=hint)

    def _catalog(self, axis: str) -> Catalog:
        return self.rule_set.catalogs[self.question_fields.axes[axis].catalog]
