"""Regular expressions that are compiled when they are first used."""

import re
from typing import Any, AnyStr, cast


class _LazyPattern:
    def __init__(self, pattern: Any, flags: int) -> None:
        self._given = pattern, flags

    def __getattr__(self, name: str) -> Any:
        value = getattr(re.compile(*self._given), name)
        setattr(self, name, value)
        return value


def lazy_pattern(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Return what becomes the compiled pattern when it is needed: compiling takes longer than the rest of an import."""
    return cast("re.Pattern[AnyStr]", _LazyPattern(pattern, flags))
