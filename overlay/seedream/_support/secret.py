"""Values that must not be seen in a traceback with local variables, a log or a repr."""

from typing import Generic, NoReturn, TypeVar

T = TypeVar("T")


class Secret(Generic[T]):
    """Holds a value and shows it to nobody who does not ask for it."""

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    def reveal(self) -> T:
        """Return the value."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('[removed]')"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")
