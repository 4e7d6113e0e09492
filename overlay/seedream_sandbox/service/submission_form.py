"""What can be read from a submission before anything is decided; done outside the service's lock, for it takes time."""

from typing import Any, Final

from attrs import frozen

from seedream_sandbox.http import Request
from seedream_sandbox.pictures.landscape import small_copy
from seedream_sandbox.service.multipart import MalformedForm, Part, decode_form

_COPIED: Final = 2  # source images that a picture shows


@frozen
class SubmissionForm:
    """A form as read.

    Attributes:
        parts: In order; empty when it cannot be read.
        error: Why it cannot be read.
        copies: Small copies (JPEG) of the first files that are pictures.
    """

    parts: tuple[Part, ...] = ()
    error: MalformedForm | None = None
    copies: tuple[bytes, ...] = ()

    def text(self, name: str) -> str:
        """Return the first text field with a name; empty when there is none."""
        found = (part.content for part in self.parts if part.name == name and part.filename is None)
        return next(found, b"").decode("utf-8", "replace")

    def content(self) -> tuple[dict[str, list[Any]], list[tuple[str, str, str, int]]]:
        """Return each text field with all its values, and of each file its field, name, media type and size."""
        fields: dict[str, list[Any]] = {}
        files: list[tuple[str, str, str, int]] = []
        for part in self.parts:
            if part.filename is None:
                fields.setdefault(part.name, []).append(part.content.decode("utf-8", "replace"))
            else:
                files.append((part.name, part.filename, part.content_type or "", len(part.content)))
        return fields, files


def read_form(request: Request, file_field: str) -> SubmissionForm:
    """Read a request's body as a form.

    Args:
        request: The whole request.
        file_field: Name of the field whose files are copied.
    """
    try:
        parts = decode_form(request.header("content-type"), request.body)
    except MalformedForm as error:
        return SubmissionForm(error=error)
    given = [part.content for part in parts if part.name == file_field and part.filename is not None]
    copies = [small_copy(content) for content in given[:_COPIED]]
    return SubmissionForm(parts, copies=tuple(copy for copy in copies if copy))
