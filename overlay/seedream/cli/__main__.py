"""``python -m seedream.cli`` is the same as ``seedream``."""

from seedream.cli import main

main()
