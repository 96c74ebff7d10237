"""The WSGI entry: `flask --app server run`, or `gunicorn server:app`. Installed packages do not need it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "engine"))  # a checkout that is not installed

from fitcard.web.app import create_app

app = create_app()
