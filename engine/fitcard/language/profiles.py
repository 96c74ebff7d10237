"""Profiles: overlays that override definitions of the rules by name, and add new ones under `adds`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fitcard.language.definitions import ADDS, Definition, read_definitions
from fitcard.problems import Problem, ProblemCode
from fitcard.source.document import Document
from fitcard.suggest import closest, did_you_mean


class ProfileUnknownName(ProblemCode):
    """A profile overrides a name that the rules do not define.

    Why: it would have no effect, although it looks as if it had.
    Avoid: `hedroom_share: {value: 0.1, ...}` in a profile
    Prefer: `headroom_share: {value: 0.1, ...}`, or a new name under `adds`.
    """


class ProfileKnownName(ProblemCode):
    """A profile adds a name that the rules already define.

    Why: readers of the profile would not see that it overrides something.
    Avoid: `adds: {constants: {headroom_share: {value: 0.1, ...}}}`
    Prefer: `constants: {headroom_share: {value: 0.1, ...}}`
    """


def apply_profile(
    base: Mapping[str, Definition], profile: Document, broken: frozenset[str] = frozenset()
) -> tuple[dict[str, Definition], list[Problem]]:
    """The definitions of `base` with the overrides and additions of a profile, and the problems of the profile.

    A problem is an override of a name that is neither in `base` nor `broken`, that is, not readable, and an addition of
    one that is in `base`.
    """
    definitions, problems = read_definitions(profile)
    added, own_problems = read_definitions(profile, ADDS)
    problems += own_problems
    for definition in added:
        if definition.name in base:
            message, first = f"`{definition.name}` is already defined by the rules", base[definition.name].position
            hint = "override it outside `adds`, or choose another name"
            problems.append(
                profile.problem(ProfileKnownName, message, definition.path, key=True, hint=hint, first=first)
            )
    for definition in definitions:
        if definition.name not in base and definition.name not in broken:
            near = closest(definition.name, base)
            hint = did_you_mean(near) or "a profile overrides names of the rules; new names belong under `adds`"
            message = f"the rules define no `{definition.name}` to override"
            problems.append(
                profile.problem(ProfileUnknownName, message, definition.path, key=True, hint=hint, closest=near)
            )
    overrides = {new.name: _inherit_shown(new, base[new.name]) for new in definitions if new.name in base}
    return {**base, **overrides, **{definition.name: definition for definition in added}}, problems


def _inherit_shown(definition: Definition, overridden: Definition) -> Definition:
    """The definition with `shown` and `label` of the one that it overrides, unless it sets `shown` itself."""
    if "shown" in definition.data or not overridden.shown:
        return definition
    return replace(definition, label=definition.label or overridden.label, shown=overridden.shown)
