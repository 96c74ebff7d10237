"""Profiles: other beliefs, laid over the rules by name. A profile can replace, and can do nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from engine.closest import closest, suggestion
from engine.codes import Code
from engine.problems import Problem
from engine.read.document import Document
from engine.rulebook.definitions import Definition, read_definitions


class ProfileUnknownName(Code):
    """A profile replaces a name that the rules do not define.

    Why: it would have no effect, and the reader of the profile would believe that it has.
    Avoid: `town_sped: {value: 25, ...}` in a profile
    Prefer: `town_speed: {value: 25, ...}`, or the new name in the rules first.
    """


def overlay(
    base: Mapping[str, Definition], profile: Document, broken: frozenset[str] = frozenset()
) -> tuple[dict[str, Definition], list[Problem]]:
    """The definitions of `base` with those of the profile in their place.

    A name that `base` lacks is a problem, unless it is among those that could not be read.
    """
    definitions, problems = read_definitions(profile)
    for definition in definitions:
        if definition.name not in base and definition.name not in broken:
            near = closest(definition.name, base)
            hint = suggestion(near) or "a profile replaces what the rules define; add the name there first"
            message = f"there is no `{definition.name}` in the rules to replace"
            problems.append(
                profile.problem(ProfileUnknownName, message, definition.path, key=True, hint=hint, closest=near)
            )
    return {**base, **{definition.name: definition for definition in definitions if definition.name in base}}, problems
