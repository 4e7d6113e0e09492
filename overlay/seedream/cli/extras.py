"""Parts of seedream that need an extra: loaded when used, and missed politely."""

from importlib import import_module
from typing import Any

import click

from seedream.cli.exit_codes import USAGE


class MissingExtra(click.ClickException):
    """A library of an extra is not installed."""

    exit_code = USAGE.code


def load(module: str, extra: str) -> Any:
    """Import a module of ours that needs an extra.

    Raises:
        MissingExtra: A library of the extra is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "seedream":
            raise
        raise MissingExtra(f'this needs {error.name}; run: pip install "seedream[{extra}]"') from None
