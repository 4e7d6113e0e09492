"""Runs the command line for ``python -m seedream.cli``."""

from seedream.cli import main

main()
