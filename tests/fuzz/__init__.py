"""Fuzzing: random malformed inputs, each of which must end in a result or in a problem, never in another exception.

A target is a function that makes one input from a `random.Random`, gives it to the project, and returns a word for what
became of it: `accepted`, or the code of the problem. `TARGETS` in `targets.py` lists all by name; a module of this
folder holds those of one area.

`python -m pytest tests/fuzz` runs each target for some seconds with a fixed seed. To run them for longer:

    python tests/fuzz --seconds 600 --seed 7 gguf json

The random numbers of input 123 of a run with seed 7 come from the text `7-123` alone, so that a failure is repeated by
`python tests/fuzz --seed 7 --input 123 gguf`.
"""
