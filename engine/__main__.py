"""`python -m engine`: the same as `fitcard`."""

from engine.commands.main import main

main(prog_name="fitcard")
