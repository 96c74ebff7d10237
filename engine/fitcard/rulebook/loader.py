"""From folders to a rulebook: read every file, check it, resolve every name. All problems come out together."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from pathlib import Path

from fitcard.catalog.catalog import Catalog, dangling_references, read_catalogs
from fitcard.catalog.fields import catalog_kinds, fields_of
from fitcard.language.definitions import Definition, read_definitions
from fitcard.language.invariants import Invariant, read_invariants
from fitcard.language.profiles import apply_profile
from fitcard.language.question_fields import QuestionFields, input_problems, read_question_fields
from fitcard.language.resolution import NameUnknown, reserved_names, resolve
from fitcard.language.rule_set import RuleSet
from fitcard.language.unit_system import UnitSystem
from fitcard.language.units import RuleConverter, read_units
from fitcard.problems import Problem, ProblemCode, ProblemsError, errors
from fitcard.rulebook.backtest import Backtest, backtest_problems, read_backtest
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
    RuleFiles,
    defined_names,
    read_files,
)
from fitcard.rulebook.layout import block_problems, read_layout
from fitcard.rulebook.layout_check import check_figures, check_layout
from fitcard.rulebook.messages import message_names, read_languages
from fitcard.rulebook.rankings import check_ranking, read_rankings
from fitcard.rulebook.rulebook import Rulebook, read_pinned
from fitcard.source.document import Document
from fitcard.source.folders import Folders
from fitcard.source.schemas import Schemas
from fitcard.suggest import closest
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
    """The rulebook in these folders. Raises ProblemsFound with all errors and warnings where there is any error."""
    rulebook, problems = load_with_problems(folders)
    if rulebook is None or errors(problems):
        raise ProblemsError(problems)
    return rulebook


def load_with_problems(folders: Folders, kept: FileCache | None = None) -> tuple[Rulebook | None, list[Problem]]:
    """The rulebook and all problems; None in its place where anything but a unit is an error.

    Files that have been `kept` from an earlier time are not read again where they are the same.
    """
    try:
        schemas = Schemas.load(folders.schemas, folders.shown(folders.schemas))
    except ProblemsError as unreadable:
        return None, list(unreadable.problems)
    files = read_files(folders, schemas, kept or FileCache())
    problems = files.problems
    main, texts, layout_file = files.only(RULEBOOK), files.some(MESSAGES), files.only(LAYOUT)
    definitions, found = _definitions(files)
    problems += found
    if main is None:
        return None, problems
    question_fields = read_question_fields(main)
    catalogs, found = _catalogs(files, schemas, question_fields)
    incomplete = files.broken_kinds | _empty(question_fields, catalogs)
    problems += found if files.unread else [*found, *dangling_references(catalogs, incomplete)]
    problems += [*_axis_problems(main, question_fields, catalogs, files), *_profile_problems(main, files)]
    problems += input_problems(main, question_fields)
    problems += reserved_names(definitions, question_fields)
    invariants, found = _invariants(files)
    problems += found
    if files.unread or any(axis.catalog not in catalogs for axis in question_fields.axes.values()):
        return None, problems  # names would be missing that nobody left out
    units, found = read_units(main)
    rule_sets, in_rules, in_units = _rule_sets(files, definitions, question_fields, catalogs, units)
    in_units = _each_once([*found, *in_units])
    problems += _each_once(
        [*in_rules, *(wrong for rules in rule_sets.values() for wrong in _chooser_problems(main, rules, incomplete))]
    )
    if errors(problems) or not texts or layout_file is None:
        return None, [*problems, *in_units]
    languages, found = read_languages(texts, main)
    problems += found
    if not languages:
        return None, [*problems, *in_units]
    found = list(block_problems(layout_file))
    problems += found
    if errors(found):
        return None, [*problems, *in_units]
    layout = read_layout(layout_file, frozenset(question_fields.axes))
    rankings, found = read_rankings(files.of(RANKINGS), frozenset(question_fields.axes))
    problems += found
    in_rankings = [key for ranking in rankings.values() for key in ranking.message_keys]
    default = next(iter(languages.values()))
    for rules in rule_sets.values():
        problems += check_layout(layout, languages, rules, in_rankings)
        problems += check_figures(rules)
        problems += [wrong for ranking in rankings.values() for wrong in check_ranking(ranking, default, rules)]
    problems = _each_once(problems)
    backtest = _backtest(files)
    if backtest:
        problems += _each_once(list(backtest_problems(backtest, catalogs, rule_sets)))
    if errors(problems):
        return None, [*problems, *in_units]
    rulebook = Rulebook(
        title=main.data["title"],
        version=main.data["version"],
        sha256=files.sha256,
        site=main.data["site"],
        units=units,
        question_fields=question_fields,
        catalogs=catalogs,
        rule_sets=rule_sets,
        default_profile=main.data["profiles"]["default"],
        messages=languages[main.data["language"]],
        languages=languages,
        message_names=message_names(languages),
        layout=layout,
        invariants=tuple(invariants),
        test_coverage=float(main.data.get("test_coverage", 0)),
        tests=tuple(files.of(TESTS)),
        checks=tuple(files.of(CHECKS)),
        pinned=read_pinned(main),
        backtest=backtest,
        rankings=rankings,
        schemas=schemas,
        document=main,
    )
    return rulebook, [*problems, *in_units]


def _catalogs(
    files: RuleFiles, schemas: Schemas, question_fields: QuestionFields
) -> tuple[dict[str, Catalog], list[Problem]]:
    kinds = catalog_kinds(schemas)
    documents = [document for kind in kinds for document in files.of(kind)]
    fillers: dict[str, tuple[str, ...]] = {}
    for axis in question_fields.axes.values():
        fillers[axis.catalog] = (*fillers.get(axis.catalog, ()), *axis.noise_words)
    return read_catalogs(documents, {kind: fields_of(schemas, kind) for kind in kinds}, fillers)


def _empty(question_fields: QuestionFields, catalogs: Mapping[str, Catalog]) -> set[str]:
    """Catalogs that questions go by and that have no entries: that is told once, and not of all that names one."""
    asked = {axis.catalog for axis in question_fields.axes.values()}
    return {kind for kind, catalog in catalogs.items() if kind in asked and not catalog.entries}


def _axis_problems(
    main: Document, question_fields: QuestionFields, catalogs: Mapping[str, Catalog], files: RuleFiles
) -> Iterator[Problem]:
    """Axes whose catalog, or whose default entry, is not there."""
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


def _chooser_problems(main: Document, rules: RuleSet, incomplete: Container[str]) -> Iterator[Problem]:
    """Tables that choose the default of an axis, and are none, or give what is not in its catalog.

    Catalogs that are `incomplete` may yet hold it.
    """
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
    default = main.data["profiles"]["default"]
    profiles = [_profile_name(document) for document in files.of(PROFILE)]
    if default not in profiles and PROFILE not in files.broken_kinds and not files.unread:
        near = closest(default, profiles)
        yield main.problem(ProfileMissing, f"there is no profile `{default}`", ("profiles", "default"), closest=near)


def _definitions(files: RuleFiles) -> tuple[dict[str, Definition], list[Problem]]:
    """What the rule files define, by name. Those that cannot be read are noted in `files.broken_names`."""
    definitions: dict[str, Definition] = {}
    problems: list[Problem] = []
    for document in files.of(RULES):
        found, wrong = read_definitions(document)
        problems += wrong
        files.broken_names |= defined_names(document) - {definition.name for definition in found}
        for definition in found:
            first = definitions.setdefault(definition.name, definition)
            if first is not definition:
                message, path = f"`{definition.name}` is defined twice", definition.path
                problem = document.problem(NameTwice, message, path, key=True, hint="keep one", first=first.position)
                problems.append(problem)
    return definitions, problems


def _invariants(files: RuleFiles) -> tuple[list[Invariant], list[Problem]]:
    read = [read_invariants(document) for document in files.of(RULES)]
    return [one for found, _ in read for one in found], [problem for _, wrong in read for problem in wrong]


def _rule_sets(
    files: RuleFiles,
    definitions: Mapping[str, Definition],
    question_fields: QuestionFields,
    catalogs: Mapping[str, Catalog],
    units: UnitSystem,
) -> tuple[dict[str, RuleSet], list[Problem], list[Problem]]:
    """The rule set of each profile, in units that are converted, and the problems of names and those of units."""
    rule_sets: dict[str, RuleSet] = {}
    problems: list[Problem] = []
    in_units: list[Problem] = []
    converter = RuleConverter(units, definitions)
    broken, incomplete = frozenset(files.broken_names), frozenset(files.broken_kinds)
    for document in files.of(PROFILE):
        laid_over, found = apply_profile(definitions, document, broken)
        problems += found
        name, title = _profile_name(document), document.data["title"]
        rule_set, found = resolve(name, title, laid_over, question_fields, catalogs, units, broken, incomplete)
        problems += found
        if rule_set is not None:
            rule_sets[name], found = converter.convert(rule_set)
            in_units += found
    return rule_sets, problems, in_units


def _backtest(files: RuleFiles) -> Backtest | None:
    document = files.at_most_one(BACKTEST)
    return read_backtest(document) if document else None


def _profile_name(document: Document) -> str:
    return Path(document.path).stem


def _each_once(problems: list[Problem]) -> list[Problem]:
    """What is wrong in the rules is wrong in every profile; it is said once."""
    return list(dict.fromkeys(problems))
