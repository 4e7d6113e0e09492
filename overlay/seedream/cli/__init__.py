"""The command line, ``seedream``. It needs the extra ``cli``."""

import sys


def main() -> None:
    """Run the command line, and end the process with one of the exit codes that ``seedream --help`` lists."""
    try:
        import click as _click  # noqa: PLC0415 -- without the extra, say so instead of failing on import
        import rich as _rich  # noqa: PLC0415 -- the same

        del _click, _rich
    except ModuleNotFoundError as error:
        sys.stderr.write(
            f"seedream: {error.name} is not installed. Install the extra of the command line: "
            'pip install ".[cli]" in a clone, or "seedream[cli] @ file:///PATH/TO/THE.whl".\n'
        )
        sys.exit(2)
    try:
        from seedream.cli.app import app  # noqa: PLC0415 -- needs the extra

        app()
    except KeyboardInterrupt:  # before or after a command; during one, ``runner`` reports it
        sys.exit(130)
