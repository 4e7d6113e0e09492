"""Imports parts of seedream that need an extra, and says what to install where it is missing."""

from importlib import import_module
from typing import Any

import click

from seedream.cli.exit_codes import USAGE


class MissingExtra(click.ClickException):
    """A library of an extra is not installed."""

    exit_code = USAGE.code


def load_extra(module: str, extra: str) -> Any:
    """Import a module that needs an extra.

    Raises:
        MissingExtra: A library of the extra is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "seedream":
            raise
        # seedream is on no package index yet, so its name is not enough.
        hint = f'pip install ".[{extra}]" in a clone, or "seedream[{extra}] @ file:///PATH/TO/THE.whl"'
        raise MissingExtra(f"{error.name} is not installed. Install the extra: {hint}.") from None
