"""Names of the files that pictures are saved as."""

import string
from functools import lru_cache
from typing import Final

from seedream._support.patterns import lazy_pattern
from seedream._support.redact import quote
from seedream._support.server_text import show_id
from seedream.errors import InvalidRequest, Problem

_FIELDS: Final = ("taskid", "number", "index", "total")
_UNSAFE: Final = lazy_pattern(r"[^\w. ()=+,@#-]")
_LONGEST: Final = 220  # bytes: of the 255 of a file name, what a temporary file and an extension add is left
_LONGEST_ID: Final = "x" * 80  # no task id is shown longer
MOST_IMAGES: Final = 1000  # of a task, beyond any limit of the service
_WIDE: Final = lazy_pattern(r"[1-9][0-9]{2}|\{")  # formatting to a great width would use up the memory


def file_stem(template: str, taskid: str, index: int, total: int) -> str:
    """Return the file name of a picture without its extension.

    The template has ``{taskid}``, ``{number}`` (from 1), ``{index}`` (from 0) and ``{total}``; a format such as
    ``{number:03}`` is allowed.
    """
    return template.format(taskid=show_id(taskid), number=index + 1, index=index, total=total)


def check_template(template: object) -> str:
    """Return the template; InvalidRequest where it names an unknown field, makes a path, or gives one name twice."""
    if not isinstance(template, str):
        raise _problem(f"an object of type {type(template).__name__} is not text")
    _check(template)
    return template


@lru_cache(maxsize=16)  # a thousand names take a millisecond
def _check(template: str) -> None:
    try:
        parts = list(string.Formatter().parse(template))
        if unknown := {name for _, name, _, _ in parts if name is not None}.difference(_FIELDS):
            raise _problem(f"{quote(template)} names the unknown field {quote(min(unknown))}")
        wide = any(_WIDE.search(spec) for _, _, spec, _ in parts if spec)
        if wide or len(file_stem(template, _LONGEST_ID, MOST_IMAGES - 1, MOST_IMAGES).encode()) > _LONGEST:
            raise _problem(f"{quote(template)} gives a name that is too long", "Use less text, and widths below 100.")
        names = [file_stem(template, "t", index, MOST_IMAGES) for index in range(MOST_IMAGES)]
    except ValueError as error:
        if isinstance(error, InvalidRequest):
            raise
        raise _problem(f"{quote(template)} cannot be read: {error}") from None
    if names[0] == names[1]:
        raise _problem(f"{quote(template)} gives all pictures of a task one name", "Use {number} in it.")
    if len(set(names)) != len(names):
        raise _problem(f"{quote(template)} gives several pictures of a task one name", "Use {number} as it is.")
    if any(_UNSAFE.search(name) or name.startswith((".", " ")) for name in names):
        raise _problem(f"{quote(template)} does not give a plain file name", "Leave out path separators and signs.")


def _problem(message: str, hint: str = "Use only {taskid}, {number}, {index} and {total}.") -> InvalidRequest:
    return InvalidRequest(Problem("name_template", message, hint=hint))
