"""``python -m seedream_testing.contract`` is ``seedream contract``."""

import sys

from seedream.cli import main

if __name__ == "__main__":
    sys.argv.insert(1, "contract")
    main()
