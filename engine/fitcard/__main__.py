"""`python -m fitcard`: the same as `fitcard`."""

from fitcard.commands.main import main

main(prog_name="fitcard")
