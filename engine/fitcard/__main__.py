"""`python -m fitcard`: the command line."""

from fitcard.cli.main import main

main(prog_name="fitcard")
