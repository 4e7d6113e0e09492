"""Fetches the vendor's page over https and keeps the last copy; no other module of the pipeline uses the network."""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urljoin, urlsplit

import anyio
import httpx

from .errors import BrokenInputs, FetchFailed
from .inputs import ORIGIN, read_origin

FOLDER: Final = "build/fetched"
LARGEST: Final = 5_000_000  # bytes; the page has some 5,000
TIME_LIMIT: Final = 60.0  # seconds for the whole fetch
_STALL: Final = 20.0  # seconds for one step of it
_REDIRECTS: Final = 5
_RECORD: Final = "last.json"
_NAME: Final = re.compile(r"[^A-Za-z0-9._-]+")

MakeClient = Callable[[], httpx.AsyncClient]


@dataclass(frozen=True)
class Fetched:
    """A page on the disk."""

    path: Path
    address: str  # where it came from, after redirects
    changed: bool  # whether it differs from the last copy


def _make_client() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=_STALL, follow_redirects=False)


def is_address(text: str) -> bool:
    """Return whether the text is a URL rather than a path."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", text) is not None


def fetch(root: Path, address: str = "", make_client: MakeClient = _make_client) -> Fetched:
    """Fetch the page, unless the server says that the last copy is still the same.

    Args:
        root: The repository.
        address: An https URL; by default the one of openapi/SOURCE.toml.
        make_client: Makes the HTTP client; it must not follow redirects by itself.

    Raises:
        FetchFailed: The page cannot be fetched. The last copy is kept as it was.
        BrokenInputs: No address is known.
    """
    address = address or read_origin(root).address
    if not address:
        raise BrokenInputs(f"{ORIGIN} holds no address of the page. Give it: make generate SPEC=https://...")
    folder = root / FOLDER
    last = _read_record(folder, address)
    headers = {"Accept": "text/markdown, text/plain, */*;q=0.5", "Accept-Encoding": "identity"}
    if last:
        headers |= {"If-None-Match": last["etag"]} if last["etag"] else {}
        headers |= {"If-Modified-Since": last["modified"]} if last["modified"] else {}
    try:
        reply, content, final = anyio.run(_get, make_client, address, headers)
    except httpx.HTTPError as error:
        raise FetchFailed(f"{address} cannot be fetched: {type(error).__name__}: {error}.") from None
    if reply.status_code == HTTPStatus.NOT_MODIFIED.value and last:
        return Fetched(folder / last["name"], final, changed=False)
    if reply.status_code != HTTPStatus.OK.value:
        raise FetchFailed(f"{address} answers HTTP {reply.status_code}. The last copy, if any, is kept in {FOLDER}/.")
    if not content.strip() or content.lstrip()[:1] == b"<":
        raise FetchFailed(f"{address} gives an HTML page or nothing, not the Markdown page: its address ends in .md.")
    name = _NAME.sub("-", unquote(urlsplit(final).path.rpartition("/")[2])).strip("-.") or "page.md"
    record = {
        "address": address,
        "name": name,
        "etag": reply.headers.get("etag", ""),
        "modified": reply.headers.get("last-modified", ""),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    changed = not last or last["sha256"] != record["sha256"]
    _write(folder / name, content)
    _write(folder / _RECORD, json.dumps(record, indent=2).encode())
    return Fetched(folder / name, final, changed)


async def _get(make_client: MakeClient, address: str, headers: dict[str, str]) -> tuple[httpx.Response, bytes, str]:
    """Do the whole exchange within the time limit. Only an asynchronous client can be stopped at any step.

    A look-up of a name that hangs takes as long as the system's resolver waits.
    """
    try:
        with anyio.fail_after(TIME_LIMIT):
            async with make_client() as client:
                return await _follow(client, address, headers)
    except TimeoutError:
        raise FetchFailed(f"{address} was not read within {TIME_LIMIT:g} s.") from None


async def _follow(
    client: httpx.AsyncClient, address: str, headers: dict[str, str]
) -> tuple[httpx.Response, bytes, str]:
    """Follow redirects from https to https, and read at most LARGEST bytes."""
    for _ in range(_REDIRECTS + 1):
        parts = urlsplit(address)
        if parts.scheme.lower() != "https" or not parts.hostname or parts.username is not None:
            raise FetchFailed(f"{address} is not a plain https address.")
        async with client.stream("GET", address, headers=headers) as reply:
            if reply.has_redirect_location:
                address = urljoin(address, reply.headers["location"])
                continue
            content = b""
            async for chunk in reply.aiter_bytes():
                content += chunk
                if len(content) > LARGEST:
                    raise FetchFailed(f"{address} gives more than {LARGEST:,} bytes, which no page has.")
            return reply, content, address
    raise FetchFailed(f"{address}: more than {_REDIRECTS} redirects.")


def _read_record(folder: Path, address: str) -> dict[str, str]:
    """Return the record of the last copy of this address; empty where it is not whole."""
    try:
        record = json.loads((folder / _RECORD).read_text("utf-8"))
        content = (folder / record["name"]).read_bytes()
        whole = hashlib.sha256(content).hexdigest() == record["sha256"] and record["address"] == address
        return {name: str(record[name]) for name in ("name", "etag", "modified", "sha256")} if whole else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    part.replace(path)
