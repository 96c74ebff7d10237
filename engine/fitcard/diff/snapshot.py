"""One side of a comparison: its files, and its rulebook if they have no errors."""

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


@dataclass(frozen=True)
class Snapshot:
    """`engine` is None if the files have errors; `files` then lacks only those that cannot be read."""

    revision: Revision
    files: RuleFiles
    engine: Engine | None
    problems: tuple[Problem, ...]

    @property
    def rulebook(self) -> Rulebook | None:
        """The rulebook of the engine."""
        return self.engine.rulebook if self.engine else None

    @property
    def profile(self) -> str:
        """The profile of the revision, or else the default profile."""
        return self.revision.profile or (self.rulebook.default_profile if self.rulebook else "")

    @cached_property
    def layers(self) -> Mapping[str, Mapping[str, Definition]]:
        """Definitions by name: those of the rules under an empty key, those of each profile under its name."""
        layers: dict[str, dict[str, Definition]] = {"": {}}
        for document in self.files.of(RULES):
            layers[""] |= {definition.name: definition for definition in read_definitions(document)[0]}
        for document in self.files.of(PROFILE):
            definitions = [*read_definitions(document)[0], *read_definitions(document, ADDS)[0]]
            layers[Path(document.path).stem] = {definition.name: definition for definition in definitions}
        return layers

    @cached_property
    def unswept(self) -> frozenset[str]:
        """The profiles that are excluded from the comparison of all answers."""
        profiles = self.files.of(PROFILE)
        return frozenset(Path(document.path).stem for document in profiles if not document.data.get("swept", True))

    @cached_property
    def readers(self) -> Mapping[str, tuple[str, ...]]:
        """For each name the rules of any profile that depend on it directly."""
        readers: dict[str, dict[str, None]] = {}
        for layer in self.layers.values():
            for definition in layer.values():
                for name in self.reads(definition):
                    readers.setdefault(name, {})[definition.name] = None
        return {name: tuple(of_name) for name, of_name in readers.items()}

    @cached_property
    def _units(self) -> frozenset[str]:
        """The names in definitions that are units."""
        system = UnitSystem([unit for document in self.files.of(RULEBOOK) for unit in document.data["units"]])
        read = {name for layer in self.layers.values() for definition in layer.values() for name in definition.reads}
        defined = {name for layer in self.layers.values() for name in layer}
        return frozenset(name for name in read - defined if system.named(name) is not None)

    def reads(self, definition: Definition) -> tuple[str, ...]:
        """The names that a definition depends on directly, without units."""
        return tuple(name for name in definition.reads if name not in self._units)

    def dependents(self, name: str) -> frozenset[str]:
        """All rules that depend on a name, directly or not."""
        dependents: set[str] = set()
        stack = [name]
        while stack:
            new = set(self.readers.get(stack.pop(), ())) - dependents
            dependents |= new
            stack += new
        return frozenset(dependents)

    @cached_property
    def documents(self) -> Mapping[str, tuple[str, Document]]:
        """Each file with its kind, by its path with the name of its folder: `rules/judgement/fit.yaml`."""
        documents = {}
        roles = (("rules", self.revision.folders.rules), ("catalogs", self.revision.folders.catalogs))
        for kind, of_kind in sorted(self.files.documents.items()):
            for document in of_kind:
                assert document.file is not None
                role, folder = next((role, folder) for role, folder in roles if document.file.is_relative_to(folder))
                documents[f"{role}/{document.file.relative_to(folder).as_posix()}"] = (kind, document)
        return documents


def read_snapshot(revision: Revision) -> Snapshot:
    """The files of a revision. Raises ProblemsError if its schemas are invalid or its profile does not exist."""
    schemas = Schemas.load(revision.folders.schemas, revision.folders.display_path(revision.folders.schemas))
    cache = FileCache()
    files = read_files(revision.folders, schemas, cache)
    rulebook, problems = load_with_problems(revision.folders, cache)
    if revision.profile and rulebook is not None and revision.profile not in rulebook.rule_sets:
        near = closest(revision.profile, rulebook.rule_sets)
        hint = did_you_mean(near) or f"the profiles are: {', '.join(rulebook.rule_sets)}"
        message = f"there is no profile `{revision.profile}`"
        raise ProblemsError([Problem(RevisionUnknown, message, hint=hint, closest=near)])
    engine = compile_rulebook(rulebook) if rulebook and not errors(problems) else None
    return Snapshot(revision, files, engine, tuple(sorted(problems, key=lambda problem: problem.sort_key)))
