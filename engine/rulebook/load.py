"""From folders to a rulebook: read every file, check it, resolve every name. All problems come out together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.closest import closest, suggestion
from engine.problems import Position, Problem, ProblemsFound, Related, errors
from engine.read.document import Document
from engine.read.folders import Folders
from engine.read.schemas import Schemas
from engine.read.yaml_reader import read
from engine.rulebook.catalogs import Catalog, read_catalogs
from engine.rulebook.check_layout import check_layout
from engine.rulebook.definitions import Definition, read_definitions
from engine.rulebook.fields import fields_of
from engine.rulebook.layout import read_layout
from engine.rulebook.messages import read_messages
from engine.rulebook.names import reserved_names, resolve
from engine.rulebook.needs import needs_of
from engine.rulebook.profiles import overlay
from engine.rulebook.rule_set import RuleSet
from engine.rulebook.rulebook import Rulebook
from engine.rulebook.subject import Subject, read_subject

RULEBOOK, RULES, PROFILE, TESTS, MESSAGES, LAYOUT = "rulebook", "rules", "profile", "tests", "messages", "layout"
FILE_KINDS = (RULEBOOK, RULES, PROFILE, TESTS, MESSAGES, LAYOUT)


@dataclass
class _Files:
    """What was read so far: documents by kind, the hash of their bytes, and problems.

    `broken_kinds` are the kinds of files that were left out, `broken_names` what they would have defined.
    """

    documents: dict[str, list[Document]] = field(default_factory=dict)
    broken_names: set[str] = field(default_factory=set)
    broken_kinds: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    digest: str = ""

    def of(self, kind: str) -> list[Document]:
        return self.documents.get(kind, [])


def load(folders: Folders) -> Rulebook:
    """The rulebook in these folders. Raises ProblemsFound with all errors and warnings where there is any error."""
    rulebook, problems = check(folders)
    if rulebook is None:
        raise ProblemsFound(problems)
    return rulebook


def check(folders: Folders) -> tuple[Rulebook | None, list[Problem]]:
    """The rulebook and what is to be said about it; None in its place where anything is an error."""
    try:
        schemas = Schemas.load(folders.schemas)
    except (OSError, ValueError) as error:
        return None, [Problem("schemas-unreadable", f"{folders.schemas} cannot be read: {error}")]
    files = _read_files(folders, schemas)
    problems = files.problems
    main = _only_one(files, folders, RULEBOOK), _only_one(files, folders, MESSAGES), _only_one(files, folders, LAYOUT)
    if main[0] is None:
        return None, problems
    subject = read_subject(main[0])
    problems += _axis_problems(main[0], subject, schemas)
    if errors(problems) and any(axis.catalog not in schemas.by_kind for axis in subject.axes.values()):
        return None, problems
    catalogs, found = _catalogs(files, schemas)
    problems += found
    problems += _default_problems(main[0], subject, catalogs, files.broken_kinds)
    definitions, found = _definitions(files)
    problems += [*found, *reserved_names(definitions, subject)]
    rule_sets, found = _rule_sets(files, definitions, subject, catalogs)
    problems += _each_once(found)
    default = main[0].data["profiles"]["default"]
    profiles = [_profile_name(document) for document in files.of(PROFILE)]
    if default not in profiles and not files.problems:
        near = closest(default, profiles)
        problems.append(
            main[0].problem(
                "profile-missing",
                f"there is no profile `{default}`",
                ("profiles", "default"),
                hint=suggestion(near),
                closest=near,
            )
        )
    if errors(problems) or main[1] is None or main[2] is None:
        return None, problems
    messages, found = read_messages(main[1])
    problems += found
    layout = read_layout(main[2], frozenset(subject.axes))
    problems += _each_once(
        [problem for rules in rule_sets.values() for problem in check_layout(layout, messages, rules)]
    )
    if errors(problems):
        return None, problems
    data = main[0].data
    rulebook = Rulebook(
        data["title"],
        data["version"],
        files.digest,
        data["site"],
        subject,
        catalogs,
        rule_sets,
        default,
        messages,
        layout,
        {profile: needs_of(layout, messages, rule_set) for profile, rule_set in rule_sets.items()},
        tuple(files.of(TESTS)),
    )
    return rulebook, problems


def _read_files(folders: Folders, schemas: Schemas) -> _Files:
    files = _Files()
    digest = hashlib.sha256()
    for role, folder in (("rules", folders.rules), ("catalogs", folders.catalogs)):
        found = sorted(path for path in folder.rglob("*.yaml") if not _hidden(path.relative_to(folder)))
        if not found:
            message = f"there are no YAML files in {folder}"
            files.problems.append(Problem("folder-empty", message, hint="name the right folder"))
        for path in found:
            inside = path.relative_to(folder).as_posix()
            shown_as = f"{folders.shown(folder)}/{inside}"
            document, problems = read(path, shown_as)
            files.problems += problems
            if document is None:
                continue
            kind = _kind(document, schemas)
            if isinstance(kind, Problem):
                files.problems.append(kind)
                continue
            if kind != TESTS:
                digest.update(f"{role}/{inside}".encode() + b"\0" + document.text.encode() + b"\0")
            wrong = problems + schemas.check(document, kind)
            files.problems += wrong[len(problems) :]
            if errors(wrong):
                files.broken_names |= _names_in(document)
                files.broken_kinds.add(kind)
                continue
            files.documents.setdefault(kind, []).append(document)
    files.digest = digest.hexdigest()
    return files


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _kind(document: Document, schemas: Schemas) -> str | Problem:
    kinds = [kind for kind, schema in schemas.by_kind.items() if "kind" in schema.get("properties", {})]
    kind = document.data.get("kind") if isinstance(document.data, dict) else None
    if kind in kinds:
        return str(kind)
    if kind is None:
        return document.problem(
            "file-kind",
            "the file does not say what kind it is",
            hint=f"start with `kind:` and one of: {', '.join(kinds)}",
        )
    near = closest(str(kind), kinds)
    hint = suggestion(near) or f"the kinds are: {', '.join(kinds)}"
    return document.problem("file-kind", f"there is no kind of file `{kind}`", ("kind",), hint=hint, closest=near)


def _names_in(document: Document) -> set[str]:
    """Names that a broken file would have defined, so that no one is told that they do not exist."""
    sections = (document.data.get(section) for section in ("constants", "formulas", "tables"))
    return {name for section in sections if isinstance(section, dict) for name in section}


def _only_one(files: _Files, folders: Folders, kind: str) -> Document | None:
    found = files.of(kind)
    if not found and not errors(files.problems):
        files.problems.append(
            Problem(
                "file-missing",
                f"there is no file of kind `{kind}`",
                Position(folders.rules.name, 1, 1),
                hint=f"add one that starts with `kind: {kind}`",
            )
        )
    for document in found[1:]:
        message, related = f"a second file of kind `{kind}`", (Related(found[0].position(), "the first is here"),)
        files.problems.append(Problem("file-twice", message, document.position(), hint="keep one", related=related))
    return found[0] if found else None


def _axis_problems(document: Document, subject: Subject, schemas: Schemas) -> Iterator[Problem]:
    kinds = [kind for kind, schema in schemas.by_kind.items() if "entry" in schema.get("$defs", {})]
    for axis in subject.axes.values():
        if axis.catalog not in kinds:
            near = closest(axis.catalog, kinds)
            message = f"there is no kind of catalog `{axis.catalog}`"
            yield document.problem(
                "axis-unknown-catalog", message, ("axes", axis.name, "catalog"), hint=suggestion(near), closest=near
            )


def _default_problems(
    document: Document, subject: Subject, catalogs: Mapping[str, Catalog], broken: set[str]
) -> Iterator[Problem]:
    for axis in subject.axes.values():
        catalog = catalogs[axis.catalog]
        if axis.default is not None and axis.catalog not in broken and axis.default not in catalog.entries:
            near = catalog.nearest(axis.default)
            message = f"there is no `{axis.default}` in the catalog `{axis.catalog}`"
            yield document.problem(
                "axis-unknown-default", message, ("axes", axis.name, "default"), hint=suggestion(near), closest=near
            )


def _catalogs(files: _Files, schemas: Schemas) -> tuple[dict[str, Catalog], list[Problem]]:
    kinds = [kind for kind, schema in schemas.by_kind.items() if "entry" in schema.get("$defs", {})]
    documents = [document for kind in kinds for document in files.of(kind)]
    return read_catalogs(documents, {kind: fields_of(schemas, kind) for kind in kinds})


def _definitions(files: _Files) -> tuple[dict[str, Definition], list[Problem]]:
    definitions: dict[str, Definition] = {}
    problems: list[Problem] = []
    for document in files.of(RULES):
        found, wrong = read_definitions(document)
        problems += wrong
        files.broken_names |= _names_in(document) - {definition.name for definition in found}
        for definition in found:
            first = definitions.setdefault(definition.name, definition)
            if first is not definition:
                message = f"`{definition.name}` is defined twice"
                related = (Related(first.position, "the first is here"),)
                line = document.source_line(definition.position)
                problems.append(
                    Problem(
                        "name-twice", message, definition.position, hint="keep one", source_line=line, related=related
                    )
                )
    return definitions, problems


def _rule_sets(
    files: _Files, definitions: Mapping[str, Definition], subject: Subject, catalogs: Mapping[str, Catalog]
) -> tuple[dict[str, RuleSet], list[Problem]]:
    rule_sets: dict[str, RuleSet] = {}
    problems: list[Problem] = []
    broken, incomplete = frozenset(files.broken_names), frozenset(files.broken_kinds)
    for document in files.of(PROFILE):
        name = _profile_name(document)
        laid_over, found = overlay(definitions, document, broken)
        problems += found
        rule_set, found = resolve(name, document.data["title"], laid_over, subject, catalogs, broken, incomplete)
        problems += found
        if rule_set is not None:
            rule_sets[name] = rule_set
    return rule_sets, problems


def _profile_name(document: Document) -> str:
    return Path(document.path).stem


def _each_once(problems: list[Problem]) -> list[Problem]:
    """What is wrong in the rules is wrong in every profile; it is said once."""
    return list(dict.fromkeys(problems))
