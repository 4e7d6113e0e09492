"""The command line, ``seedream``. It needs the extra ``cli``: ``pip install "seedream[cli]"``."""

import sys


def main() -> None:
    """Run the command line; ends the process with one of the exit codes that ``seedream --help`` lists."""
    try:
        import click as _click  # noqa: PLC0415 -- without the extra, say so instead of failing on import
        import rich as _rich  # noqa: PLC0415 -- the same

        del _click, _rich
    except ModuleNotFoundError:
        sys.stderr.write('seedream: the command line is not installed; run: pip install "seedream[cli]"\n')
        sys.exit(2)
    try:
        from seedream.cli.app import app  # noqa: PLC0415 -- needs the extra

        app()
    except KeyboardInterrupt:  # before or after a command; one that runs ends in _end
        sys.exit(130)
