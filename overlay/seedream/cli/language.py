"""Which language a person reads: a Chinese line is added to messages where the locale asks for it."""

import os
from collections.abc import Mapping


def is_chinese(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether SEEDREAM_LANG, else the locale for messages, is Chinese."""
    for name in ("SEEDREAM_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = environ.get(name, "").strip()
        if value:
            return value.lower().startswith("zh")
    return False
