"""Streams for tests of what a terminal shows."""

from io import BytesIO, TextIOWrapper
from typing import Any


class Stream(TextIOWrapper):
    """A stream that is a terminal or not."""

    def __init__(self, *, terminal: bool, encoding: str = "utf-8") -> None:
        super().__init__(BytesIO(), encoding=encoding, write_through=True)
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal

    @property
    def text(self) -> str:
        found: Any = self.buffer
        return str(found.getvalue().decode(self.encoding))
