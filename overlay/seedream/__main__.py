"""``python -m seedream`` is the same as ``seedream``."""

from seedream.cli import main

main()
