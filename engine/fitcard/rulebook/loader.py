"""Loading of a rulebook from its folders: reads and checks every file, resolves every name, reports all problems."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from fitcard.catalog.catalog import Catalog, catalog_kinds, dangling_references, fields_of, read_catalogs
from fitcard.language.definitions import Definition, apply_profile, read_definitions
from fitcard.language.invariants import Invariant, read_invariants
from fitcard.language.question_fields import QuestionFields, input_problems, read_question_fields
from fitcard.language.resolution import NameUnknown, reserved_names, resolve
from fitcard.language.rule_set import RuleSet
from fitcard.language.unit_system import UnitSystem
from fitcard.language.units import RuleConverter, read_units
from fitcard.problems import Problem, ProblemCode, ProblemsError, errors
from fitcard.rulebook.backtest import backtest_problems, read_backtest
from fitcard.rulebook.files import (
    BACKTEST,
    CHECKS,
    LAYOUT,
    MESSAGES,
    PROFILE,
    RANKINGS,
    RULEBOOK,
    RULES,
    TESTS,
    FileCache,
    FileName,
    RuleFiles,
    defined_names,
    read_files,
)
from fitcard.rulebook.layout import Layout
from fitcard.rulebook.layout_check import check_figures, check_layout
from fitcard.rulebook.layout_reader import BLOCK_CODES, block_problems, read_layout
from fitcard.rulebook.messages import Languages, message_names, read_languages
from fitcard.rulebook.rankings import RankingDefinition, check_ranking, read_rankings
from fitcard.rulebook.rulebook import Rulebook, read_pinned
from fitcard.rulebook.size import size_problems
from fitcard.source.document import Document
from fitcard.source.folders import Folders
from fitcard.source.schemas import Schemas
from fitcard.suggest import closest, limited_suggestions
from fitcard.values import Kind


class AxisUnknownCatalog(ProblemCode):
    """An axis of the rulebook takes its entries from a catalog that does not exist.

    Why: no question could be answered.
    Avoid: `device: {catalog: gpus, ...}`
    Prefer: `device: {catalog: devices, ...}`
    """


class AxisEmpty(ProblemCode):
    """The catalog of an axis has no entries.

    Why: no question could be answered.
    Avoid: a catalog folder without a file of `kind: devices`
    Prefer: a file of that kind with at least one entry.
    """


class AxisUnknownDefault(ProblemCode):
    """The default entry of an axis does not exist, or a table that chooses the default gives an entry that does not
    exist.

    Why: questions that leave the axis out could not be answered.
    Avoid: `workload: {catalog: workloads, default: code, ...}`
    Prefer: `workload: {catalog: workloads, default: coding, ...}`
    """


class AxisTwoDefaults(ProblemCode):
    """An axis has both `default` and `default_by`.

    Why: it is unclear which one applies.
    Avoid: `host: {catalog: hosts, default: desktop-ddr5, default_by: usual_host, ...}`
    Prefer: one of the two.
    """


class ProfileMissing(ProblemCode):
    """The default profile has no file.

    Why: questions that name no profile could not be answered.
    Avoid: `profiles: {default: calibrate}`
    Prefer: `profiles: {default: calibrated}`, with the file `profiles/calibrated.yaml`.
    """


class NameTwice(ProblemCode):
    """A name is defined twice. The problem points at both definitions.

    Why: one would hide the other, depending on the order of the files.
    Avoid: `headroom_share` in `memory.yaml` and in `context.yaml`
    Prefer: one definition, or two names; alternative values belong in a profile.
    """


def load(folders: Folders) -> Rulebook:
    """The rulebook of these folders. Raises ProblemsError with all problems if any of them is an error."""
    rulebook, problems = load_with_problems(folders)
    if rulebook is None or errors(problems):
        raise ProblemsError(problems)
    return rulebook


def load_with_problems(folders: Folders, cache: FileCache | None = None) -> tuple[Rulebook | None, list[Problem]]:
    """The rulebook and all problems; None if there are errors other than those of units.

    Files that are unchanged in `cache` are not parsed again.
    """
    try:
        schemas = Schemas.load(folders.schemas, folders.display_path(folders.schemas))
    except ProblemsError as error:
        return None, list(error.problems)
    with limited_suggestions():
        loader = _RulebookLoader(schemas, read_files(folders, schemas, cache or FileCache()))
        rulebook = loader.load()
    return rulebook, loader.all_problems


@dataclass(frozen=True)
class _Basis:
    """What definitions are resolved against. Entries of the `incomplete` catalogs may be missing."""

    question_fields: QuestionFields
    catalogs: Mapping[str, Catalog]
    incomplete: frozenset[str]
    units: UnitSystem


@dataclass(frozen=True)
class _Views:
    """Messages, layout and rankings."""

    languages: Languages
    layout: Layout
    rankings: Mapping[str, RankingDefinition]


PROFILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
T = TypeVar("T")


class _RulebookLoader:
    """Builds a rulebook from files, step by step. A step returns None if later ones would report false problems."""

    def __init__(self, schemas: Schemas, files: RuleFiles) -> None:
        self.schemas, self.files = schemas, files
        self._problems: list[Problem] = []
        self._unit_problems: list[Problem] = []

    @property
    def all_problems(self) -> list[Problem]:
        """The problems of files and of their content. What is wrong in every profile is reported once."""
        return list(dict.fromkeys([*self.files.problems, *self._problems, *self._unit_problems]))

    def load(self) -> Rulebook | None:
        """The rulebook; None if there are errors other than those of units."""
        files = self.files
        too_many = list(size_problems(files))
        self._problems += too_many
        if too_many:
            return None
        main, message_files, layout_file = files.only(RULEBOOK), files.at_least_one(MESSAGES), files.only(LAYOUT)
        backtest_file = files.at_most_one(BACKTEST)
        definitions = self._collect(_read_definitions(files))
        if main is None:
            return None
        basis = self._read_basis(main, definitions)
        invariants = self._collect(_read_invariants(files))
        if basis is None:
            return None
        rule_sets = self._resolve_profiles(main, definitions, basis)
        if self._failed or layout_file is None or not message_files:
            return None
        views = self._read_views(main, layout_file, message_files, basis)
        if views is None:
            return None
        self._check_views(views, rule_sets)
        backtest = read_backtest(backtest_file) if backtest_file else None
        if backtest:
            self._problems += backtest_problems(backtest, basis.catalogs, rule_sets)
        if self._failed:
            return None
        return Rulebook(
            title=main.data["title"],
            version=main.data["version"],
            sha256=files.sha256,
            site=main.data["site"],
            units=basis.units,
            question_fields=basis.question_fields,
            catalogs=basis.catalogs,
            rule_sets=rule_sets,
            default_profile=main.data["profiles"]["default"],
            messages=views.languages[main.data["language"]],
            languages=views.languages,
            message_names=message_names(views.languages),
            layout=views.layout,
            invariants=tuple(invariants),
            test_coverage=float(main.data.get("test_coverage", 0)),
            tests=tuple(files.of(TESTS)),
            checks=tuple(files.of(CHECKS)),
            pinned=read_pinned(main),
            backtest=backtest,
            rankings=views.rankings,
            schemas=self.schemas,
            document=main,
        )

    @property
    def _failed(self) -> bool:
        return bool(errors(self.files.problems) or errors(self._problems))

    def _collect(self, result: tuple[T, Iterable[Problem]]) -> T:
        """The value of a result, whose problems are added."""
        value, problems = result
        self._problems += problems
        return value

    def _read_basis(self, main: Document, definitions: Mapping[str, Definition]) -> _Basis | None:
        """Question fields, catalogs and units; None if names are missing because a file or catalog is."""
        files, question_fields = self.files, read_question_fields(main)
        catalogs = self._collect(_read_catalogs(files, self.schemas, question_fields))
        incomplete = frozenset(files.broken_kinds | _empty_catalogs(question_fields, catalogs))
        if not files.unread:
            self._problems += dangling_references(catalogs, incomplete)
        self._problems += _axis_problems(main, question_fields, catalogs, files)
        self._problems += _profile_problems(main, files)
        self._problems += input_problems(main, question_fields)
        self._problems += reserved_names(definitions, question_fields)
        if files.unread or any(axis.catalog not in catalogs for axis in question_fields.axes.values()):
            return None
        units, unit_problems = read_units(main)
        self._unit_problems += unit_problems
        return _Basis(question_fields, catalogs, incomplete, units)

    def _resolve_profiles(
        self, main: Document, definitions: Mapping[str, Definition], basis: _Basis
    ) -> dict[str, RuleSet]:
        """The rule set of each profile, with converted units."""
        files, rule_sets = self.files, dict[str, RuleSet]()
        broken, broken_kinds = frozenset(files.broken_names), frozenset(files.broken_kinds)
        converter = RuleConverter(basis.units, definitions)
        for document in files.of(PROFILE):
            name, title = _profile_name(document), document.data["title"]
            overlaid = self._collect(apply_profile(definitions, document, broken))
            fields, catalogs, units = basis.question_fields, basis.catalogs, basis.units
            rule_set = self._collect(resolve(name, title, overlaid, fields, catalogs, units, broken, broken_kinds))
            if rule_set is not None:
                rule_sets[name], unit_problems = converter.convert(rule_set)
                self._unit_problems += unit_problems
        for rule_set in rule_sets.values():
            self._problems += _default_table_problems(main, rule_set, basis.incomplete)
        return rule_sets

    def _read_views(
        self, main: Document, layout_file: Document, message_files: Sequence[Document], basis: _Basis
    ) -> _Views | None:
        """Messages, layout and rankings; None if there is no language, or a block has errors."""
        languages = self._collect(read_languages(message_files, main))
        if not languages:
            return None
        problems = list(block_problems(layout_file))
        self._problems += problems
        if errors(problems):
            return None
        axes = frozenset(basis.question_fields.axes)
        rankings, problems = read_rankings(self.files.of(RANKINGS), axes)
        self._problems += problems
        if any(problem.kind in BLOCK_CODES for problem in errors(problems)):
            return None
        return _Views(languages, read_layout(layout_file, axes), rankings)

    def _check_views(self, views: _Views, rule_sets: Mapping[str, RuleSet]) -> None:
        """Every name in messages, layout and rankings against each profile."""
        default = next(iter(views.languages.values()))
        in_rankings = [key for ranking in views.rankings.values() for key in ranking.message_keys]
        for rule_set in rule_sets.values():
            self._problems += check_layout(views.layout, views.languages, rule_set, in_rankings)
            self._problems += check_figures(rule_set)
            for ranking in views.rankings.values():
                self._problems += check_ranking(ranking, default, rule_set)


def _read_definitions(files: RuleFiles) -> tuple[dict[str, Definition], list[Problem]]:
    """The definitions of the rule files, by name. The names of unreadable ones are added to `files.broken_names`."""
    definitions: dict[str, Definition] = {}
    problems: list[Problem] = []
    for document in files.of(RULES):
        in_file, problems_in_file = read_definitions(document)
        problems += problems_in_file
        files.broken_names |= defined_names(document) - {definition.name for definition in in_file}
        for definition in in_file:
            first = definitions.setdefault(definition.name, definition)
            if first is not definition:
                message, path = f"`{definition.name}` is defined twice", definition.path
                problem = document.problem(NameTwice, message, path, key=True, hint="keep one", first=first.position)
                problems.append(problem)
    return definitions, problems


def _read_invariants(files: RuleFiles) -> tuple[list[Invariant], list[Problem]]:
    results = [read_invariants(document) for document in files.of(RULES)]
    return [each for invariants, _ in results for each in invariants], [each for _, found in results for each in found]


def _read_catalogs(
    files: RuleFiles, schemas: Schemas, question_fields: QuestionFields
) -> tuple[dict[str, Catalog], list[Problem]]:
    kinds = catalog_kinds(schemas)
    documents = [document for kind in kinds for document in files.of(kind)]
    noise_words: dict[str, tuple[str, ...]] = {}
    for axis in question_fields.axes.values():
        noise_words[axis.catalog] = (*noise_words.get(axis.catalog, ()), *axis.noise_words)
    return read_catalogs(documents, {kind: fields_of(schemas, kind) for kind in kinds}, noise_words)


def _empty_catalogs(question_fields: QuestionFields, catalogs: Mapping[str, Catalog]) -> set[str]:
    """Catalogs of axes that have no entries. This is one problem, not one for each reference to an entry."""
    of_axes = {axis.catalog for axis in question_fields.axes.values()}
    return {kind for kind, catalog in catalogs.items() if kind in of_axes and not catalog.entries}


def _axis_problems(
    main: Document, question_fields: QuestionFields, catalogs: Mapping[str, Catalog], files: RuleFiles
) -> Iterator[Problem]:
    """Axes whose catalog or default entry does not exist."""
    for axis in question_fields.axes.values():
        catalog = catalogs.get(axis.catalog)
        if catalog is None:
            message, path = f"there is no kind of catalog `{axis.catalog}`", ("axes", axis.name, "catalog")
            yield main.problem(AxisUnknownCatalog, message, path, closest=closest(axis.catalog, catalogs))
        elif axis.default is not None and axis.default_by is not None:
            message, path = f"the axis `{axis.name}` has two defaults", ("axes", axis.name, "default_by")
            yield main.problem(AxisTwoDefaults, message, path, key=True, hint="keep one of them")
        elif axis.catalog in files.broken_kinds or files.unread:
            continue
        elif not catalog.entries:
            message, path = f"the catalog `{axis.catalog}` has no entries", ("axes", axis.name, "catalog")
            yield main.problem(AxisEmpty, message, path, hint=f"add a file that starts with `kind: {axis.catalog}`")
        elif axis.default is not None and axis.default not in catalog.entries:
            message = f"there is no `{axis.default}` in the catalog `{axis.catalog}`"
            near = catalog.nearest(axis.default)
            yield main.problem(AxisUnknownDefault, message, ("axes", axis.name, "default"), closest=near)


def _default_table_problems(main: Document, rules: RuleSet, incomplete: Container[str]) -> Iterator[Problem]:
    """`default_by` that is no table of words, or whose words are not entries, except in `incomplete` catalogs."""
    for axis in rules.question_fields.axes.values():
        if axis.default_by is None:
            continue
        path, catalog = ("axes", axis.name, "default_by"), rules.catalogs[axis.catalog]
        if rules.kinds.get(axis.default_by) is not Kind.WORD:
            tables = [name for name, kind in rules.kinds.items() if kind is Kind.WORD]
            message, near = f"there is no table of words `{axis.default_by}`", closest(axis.default_by, tables)
            yield main.problem(NameUnknown, message, path, closest=near)
            continue
        words, may_be_absent = rules.possible_words(axis.default_by)
        for word in words:
            if word not in catalog.entries and axis.catalog not in incomplete:
                table = rules.definitions[axis.default_by]
                message = f"`{axis.default_by}` gives `{word}`, but the catalog `{axis.catalog}` has no such entry"
                yield table.document.problem(
                    AxisUnknownDefault, message, table.path, key=True, closest=catalog.nearest(word)
                )
        if may_be_absent:
            message, hint = f"`{axis.default_by}` may be absent", "add `otherwise:` to it"
            yield main.problem(AxisUnknownDefault, message, path, hint=hint)


def _profile_problems(main: Document, files: RuleFiles) -> Iterator[Problem]:
    """A default profile that has no file."""
    default = main.data["profiles"]["default"]
    for document in files.of(PROFILE):
        if not PROFILE_NAME.fullmatch(_profile_name(document)):
            message, hint = (
                "the name of a profile is that of its file",
                "use letters, digits, dots, dashes, underscores",
            )
            yield document.problem(FileName, message, hint=hint)
    profiles = [_profile_name(document) for document in files.of(PROFILE)]
    if default not in profiles and PROFILE not in files.broken_kinds and not files.unread:
        near = closest(default, profiles)
        yield main.problem(ProfileMissing, f"there is no profile `{default}`", ("profiles", "default"), closest=near)


def _profile_name(document: Document) -> str:
    return Path(document.path).stem
