"""What one side of a comparison holds: its files, and the rulebook where they hold no error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from fitcard.compiler.engine import Engine, compile_rulebook
from fitcard.diff.revisions import Revision, RevisionUnknown
from fitcard.language.definitions import ADDS, Definition, read_definitions
from fitcard.language.unit_system import UnitSystem
from fitcard.problems import Problem, ProblemsError, errors
from fitcard.rulebook.files import PROFILE, RULEBOOK, RULES, FileCache, RuleFiles, read_files
from fitcard.rulebook.loader import load_with_problems
from fitcard.rulebook.rulebook import Rulebook
from fitcard.source.document import Document
from fitcard.source.schemas import Schemas
from fitcard.suggest import closest, did_you_mean

Layers = Mapping[str, Mapping[str, Definition]]


@dataclass(frozen=True)
class Snapshot:
    """`engine` is None where the files hold an error; `files` are there even then, but for those not to be read."""

    revision: Revision
    files: RuleFiles
    schemas: Schemas
    engine: Engine | None
    problems: tuple[Problem, ...]

    @property
    def rulebook(self) -> Rulebook | None:
        """The rulebook of the engine."""
        return self.engine.rulebook if self.engine else None

    @property
    def profile(self) -> str:
        """The profile that answers on this side."""
        return self.revision.profile or (self.rulebook.default_profile if self.rulebook else "")

    @cached_property
    def layers(self) -> Layers:
        """What is defined by the rules, under no name, and by each profile, under its own."""
        found: dict[str, dict[str, Definition]] = {"": {}}
        for document in self.files.of(RULES):
            found[""] |= {one.name: one for one in read_definitions(document)[0]}
        for document in self.files.of(PROFILE):
            definitions = [*read_definitions(document)[0], *read_definitions(document, ADDS)[0]]
            found[Path(document.path).stem] = {one.name: one for one in definitions}
        return found

    @cached_property
    def unswept(self) -> frozenset[str]:
        """The profiles that say that not every answer of theirs is compared."""
        profiles = self.files.of(PROFILE)
        return frozenset(Path(document.path).stem for document in profiles if not document.data.get("swept", True))

    @cached_property
    def readers(self) -> Mapping[str, tuple[str, ...]]:
        """For each name those that are made of it directly, in any profile."""
        found: dict[str, dict[str, None]] = {}
        for layer in self.layers.values():
            for definition in layer.values():
                for name in self.reads(definition):
                    found.setdefault(name, {})[definition.name] = None
        return {name: tuple(readers) for name, readers in found.items()}

    @cached_property
    def _units(self) -> frozenset[str]:
        """The names that definitions read and that are those of units."""
        system = UnitSystem([unit for document in self.files.of(RULEBOOK) for unit in document.data["units"]])
        read = {name for layer in self.layers.values() for one in layer.values() for name in one.reads}
        defined = {name for layer in self.layers.values() for name in layer}
        return frozenset(name for name in read - defined if system.named(name) is not None)

    def reads(self, definition: Definition) -> tuple[str, ...]:
        """The names that a definition is made of; a unit that it writes is none of them."""
        return tuple(name for name in definition.reads if name not in self._units)

    def reached_from(self, name: str) -> frozenset[str]:
        """All that is made of a name, whatever lies between."""
        found: set[str] = set()
        stack = [name]
        while stack:
            new = set(self.readers.get(stack.pop(), ())) - found
            found |= new
            stack += new
        return frozenset(found)

    @cached_property
    def documents(self) -> Mapping[str, tuple[str, Document]]:
        """Each file with its kind, by its path from the folder of rules or catalogs: `rules/judgement/fit.yaml`."""
        found = {}
        roles = (("rules", self.revision.folders.rules), ("catalogs", self.revision.folders.catalogs))
        for kind, documents in sorted(self.files.documents.items()):
            for document in documents:
                assert document.file is not None
                role, folder = next((role, folder) for role, folder in roles if document.file.is_relative_to(folder))
                found[f"{role}/{document.file.relative_to(folder).as_posix()}"] = (kind, document)
        return found


def read_snapshot(side: Revision) -> Snapshot:
    """What a side holds. Raises ProblemsFound where its schemas cannot be read, or its profile is not there."""
    schemas = Schemas.load(side.folders.schemas, side.folders.shown(side.folders.schemas))
    kept = FileCache()
    files = read_files(side.folders, schemas, kept)
    rulebook, problems = load_with_problems(side.folders, kept)
    if side.profile and rulebook is not None and side.profile not in rulebook.rule_sets:
        near = closest(side.profile, rulebook.rule_sets)
        hint = did_you_mean(near) or f"the profiles are: {', '.join(rulebook.rule_sets)}"
        raise ProblemsError(
            [Problem(RevisionUnknown, f"there is no profile `{side.profile}`", hint=hint, closest=near)]
        )
    engine = compile_rulebook(rulebook) if rulebook and not errors(problems) else None
    return Snapshot(side, files, schemas, engine, tuple(sorted(problems, key=lambda problem: problem.sort_key)))
