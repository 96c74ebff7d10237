"""Shell completion of catalog entries, profiles and languages, read from their files without loading the rulebook.

Unreadable files are skipped; the completed command reports their problems.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from fitcard.language.question_fields import QuestionFields, read_question_fields
from fitcard.problems import ProblemsError
from fitcard.rulebook.files import MESSAGES, PROFILE, RULEBOOK
from fitcard.source.document import Document
from fitcard.source.folders import FOLDER_NAMES, Folders, find_folders, leads_elsewhere
from fitcard.source.schemas import Schemas
from fitcard.source.text import show_line
from fitcard.source.yaml_reader import read_bytes, read_content

if TYPE_CHECKING:
    Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem[str]]]

KIND = re.compile(rb"^kind: *(\w+)", re.MULTILINE)
WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")  # others are not completed: a shell would read them as code
SEPARATORS = re.compile(r"[^a-z0-9.]+")  # between the words of an id or name


@dataclass(frozen=True)
class Outline:
    """The part of a rulebook that options are built from: the fields of questions and the names of profiles."""

    question_fields: QuestionFields
    rule_sets: tuple[str, ...]
    default_profile: str


def folders_of(ctx: click.Context) -> Folders:
    """The folders of this call; found here during completion, which does not run the callback that finds them."""
    root = ctx.find_root()
    return (
        root.obj if isinstance(root.obj, Folders) else find_folders(*(root.params.get(name) for name in FOLDER_NAMES))
    )


def read_outline(folders: Folders) -> Outline:
    """The outline of the rulebook in these folders; an empty one if the rulebook file is unreadable or invalid."""
    document = next(_documents(folders, RULEBOOK), None)
    try:
        readable = document is not None and Schemas.load(folders.schemas).is_valid(document.data, RULEBOOK)
    except ProblemsError:
        readable = False
    if document is None or not readable:
        return Outline(QuestionFields({}, {}), (), "")
    return Outline(read_question_fields(document), _profiles(folders), document.data["profiles"]["default"])


def complete_entries(catalog: str) -> Completer:
    """A completer for the ids of a catalog's entries, with names as help; in a list it completes the last item."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        before, comma, typed = incomplete.rpartition(",") if param.multiple else ("", "", incomplete)
        matches = match_entries(typed, _entries(folders_of(ctx), catalog))
        return [CompletionItem(f"{before}{comma}{entry}", help=name) for entry, name in matches]

    return complete


def complete_question(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Completes the positional arguments of a question: an entry for each required axis, in order."""
    required = [axis for axis in read_outline(folders_of(ctx)).question_fields.axes.values() if axis.required]
    position = len(ctx.params.get(str(param.name)) or ())
    return complete_entries(required[position].catalog)(ctx, param, incomplete) if position < len(required) else []


def complete_profiles(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Completes the names of profiles."""
    names = _profiles(folders_of(ctx))
    return [CompletionItem(name) for name in names if name.startswith(incomplete) and WORD.fullmatch(name)]


def complete_languages(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Completes language tags, described by the name of the language in that language."""
    languages = [document.data for document in _documents(folders_of(ctx), MESSAGES)]
    tags = [(language.get("language"), language.get("title")) for language in languages]
    return [
        CompletionItem(tag, help=show_line(str(title or "")))
        for tag, title in tags
        if isinstance(tag, str) and tag.startswith(incomplete) and WORD.fullmatch(tag)
    ]


def match_entries(typed: str, entries: Iterable[tuple[str, tuple[str, ...]]]) -> list[tuple[str, str]]:
    """Ids and names of the entries whose id starts with `typed`, or else of those with a name that does.

    Each word of an id or name counts as a name: `4090` completes to `rtx-4090-24gb`.
    """
    start, by_id, by_name = typed.casefold(), [], []
    for entry, names in entries:
        label = names[0] if names else ""
        if entry.casefold().startswith(start):
            by_id.append((entry, label))
            continue
        spellings = [name.casefold() for name in (entry, *names)]
        words = (word for spelling in spellings for word in SEPARATORS.split(spelling))
        if any(word.startswith(start) for word in (*spellings, *words)):
            by_name.append((entry, label))
    return [(entry, show_line(label)) for entry, label in by_id or by_name if WORD.fullmatch(entry)]


def _entries(folders: Folders, catalog: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The id of each entry with its name and aliases."""
    for document in _documents(folders, catalog):
        entries = document.data.get("entries")
        for entry, fields in entries.items() if isinstance(entries, dict) else ():
            if isinstance(fields, dict):
                names = [fields.get("name"), *(fields.get("aliases") or ())]
                yield entry, tuple(name for name in names if isinstance(name, str))


def _profiles(folders: Folders) -> tuple[str, ...]:
    return tuple(document.file.stem for document in _documents(folders, PROFILE) if document.file)


def _documents(folders: Folders, kind: str) -> Iterator[Document]:
    """The readable files of one kind; other files are not parsed."""
    for folder in (folders.rules, folders.catalogs):
        for path in sorted(folder.rglob("*.yaml")):
            content = None if leads_elsewhere(path, folder) else read_content(path, path.name)
            if not isinstance(content, bytes) or not (match := KIND.search(content)) or match[1].decode() != kind:
                continue
            document, _ = read_bytes(content, path.name, path)
            if document is not None and isinstance(document.data, dict):
                yield document
