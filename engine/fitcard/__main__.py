"""`python -m fitcard`: the same as `fitcard`."""

from fitcard.cli.main import main

main(prog_name="fitcard")
