"""``--dry-run``: the request that would be sent, printed from the checked submission."""

from typing import Any, Final

from tensorslab_images.limits import AUTH_HEADER, SUBMIT
from tensorslab_images.rules import AUTH_HEADER_SCHEME

from seedream import SeeDream
from seedream._request.submission import Submission, WireValue
from seedream.cli.language import plural, tr
from seedream.cli.terminal import Terminal

_MASKED: Final = "********"


def print_request(terminal: Terminal, submission: Submission, base_url: str | None) -> None:
    """Print the request with the key masked, and what it would cost. No key is needed.

    Raises:
        ConfigError: The base URL or the set-up is unusable, so that the request could not be sent.
    """
    with SeeDream(_MASKED, base_url=base_url) as client:
        url = f"{client.service.base_url}{SUBMIT.path}"
    headers = [(AUTH_HEADER, f"{AUTH_HEADER_SCHEME} {_MASKED}"), ("Content-Type", "multipart/form-data")]
    fields = [(name, text) for name, value in submission.values.items() for text in _form_texts(value)]
    files = [(name, file) for name, files in submission.files.items() for file in files]
    terminal.print_json(
        {
            "dry_run": True,
            "request": {
                "method": SUBMIT.method.upper(),
                "url": url,
                "headers": [{"name": name, "value": value} for name, value in headers],
                "fields": [{"name": name, "value": text} for name, text in fields],
                "files": [
                    {"name": name, "filename": file.name, "media_type": file.media_type, "bytes": len(file.content)}
                    for name, file in files
                ],
            },
            "images": submission.images,
        }
    )
    terminal.print_result(f"{SUBMIT.method.upper()} {url}", style="bold")
    for name, value in headers:
        terminal.print_result(f"  {name}: {value}")
    _print_section(
        terminal, tr("Form fields"), [(name, text if text.isprintable() else repr(text)) for name, text in fields]
    )
    _print_section(
        terminal,
        tr("Files"),
        [(name, f"{file.name}  {file.media_type}  {plural(len(file.content), 'byte')}") for name, file in files],
    )
    cost = plural(submission.images, "image")
    terminal.print_result("\n" + tr("Nothing was sent. If sent, it would cost {cost}.", cost=cost))


def _print_section(terminal: Terminal, title: str, rows: list[tuple[str, Any]]) -> None:
    if rows:
        terminal.print_result(f"\n{title}", style="bold")
    for name, text in rows:
        terminal.print_result(f"  {name:<13}{text}")


def _form_texts(value: WireValue) -> list[str]:
    """Return the text of each form field that the value becomes."""
    items = value if isinstance(value, list) else [value]
    return [str(item).lower() if isinstance(item, bool) else str(item) for item in items]
