"""fitcard's engine: how rules run. It knows no formula, no device, no model and no sentence.

Data flows one way through the folders: `read` (YAML with positions) -> `rulebook` (checked, resolved, immutable)
-> `evaluate` (columns) -> `answer` (what a caller gets) -> `draw` (a terminal). `commands` are the ways in.
"""

__version__ = "0.1.0"
