"""Imports httpx without its own command line: that loads click and rich where they are installed, for nothing here."""

import sys
from typing import Any, cast

_modules = cast("dict[str, Any]", sys.modules)
if "httpx" not in _modules:
    # The documented way to say that a module is not there; httpx then goes on without, as if its extra was missing.
    _modules["httpx._main"] = None
    try:
        import httpx as _httpx  # noqa: F401  # pyright: ignore[reportUnusedImport] -- imported for what it leaves out
    finally:
        del _modules["httpx._main"]
