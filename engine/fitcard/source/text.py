"""Characters that people do not see, or that change how others are shown.

Texts of files have none of `UNSHOWN`, and names and other texts of one line none of `INVISIBLE`.
"""

from __future__ import annotations

import re
import unicodedata

CONTROLS = "\x00-\x1f\x7f-\x9f\u2028\u2029"  # line ends and tabs among them
BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # they change the order in which other characters are shown
ZERO_WIDTH = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff9-\ufffb"
)
TAGS = "\U000e0000-\U000e0fff"  # invisible too
SURROGATES = "\ud800-\udfff\ufffe\uffff"  # no text in UTF-8; and two that XML does not allow
OVERRIDES = "\u202a-\u202e\u2066-\u2069"  # of BIDI, those that no text needs beside the marks
INVISIBLE = re.compile(f"[{CONTROLS}{BIDI}{ZERO_WIDTH}{TAGS}{SURROGATES}]")
UNSHOWN = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029{OVERRIDES}{TAGS}{SURROGATES}]")
REPLACEMENT = "\ufffd"
LOOK_ALIKE_SCRIPTS = ("CYRILLIC", "GREEK")


def alien_character(text: str) -> str:
    """A character that looks like a Latin letter or a digit, or changes how one looks; empty if there is none.

    In a word with Latin letters or digits these are Greek and Cyrillic letters, and marks that are combined with
    digits; anywhere, full-width and other compatibility forms of letters and digits.
    """
    return "" if text.isascii() else next(filter(None, map(_alien_in_word, text.split())), "")


def _alien_in_word(word: str) -> str:
    is_latin = re.search("[A-Za-z0-9]", word) is not None
    for before, character in zip(" " + word, word, strict=False):
        plain = unicodedata.normalize("NFKC", character)
        if plain != character and plain.isascii() and plain.isalnum():
            return character
        if is_latin and unicodedata.name(character, "").startswith(LOOK_ALIKE_SCRIPTS):
            return character
        if before.isdigit() and unicodedata.combining(character):
            return character
    return ""


def show(text: str) -> str:
    """The text with a replacement character for each control character, except line feeds and tabs."""
    return text if text.isprintable() else UNSHOWN.sub(REPLACEMENT, text)


def show_line(text: str) -> str:
    """The text on one line: `show` with runs of white space as one space."""
    return show(" ".join(text.split())) if text.strip() else text and " "
