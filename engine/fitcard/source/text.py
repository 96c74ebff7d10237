"""Characters that people do not see, or that change how others are shown."""

from __future__ import annotations

import re

CONTROLS = "\x00-\x1f\x7f-\x9f\u2028\u2029"  # line ends and tabs among them
BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # they change the order in which other characters are shown
ZERO_WIDTH = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff9-\ufffb"
)
TAGS = "\U000e0000-\U000e0fff"  # invisible too
SURROGATES = "\ud800-\udfff"  # no text in UTF-8
INVISIBLE = re.compile(f"[{CONTROLS}{BIDI}{ZERO_WIDTH}{TAGS}{SURROGATES}]")
