"""Wrong clients that need two things at once to show: two values, two calls, two hops, two tries, or a length."""

# ruff: noqa: E501 -- one fault a line reads as a table

from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import urljoin

import httpx
from attrs import evolve
from mutants._client_faults import data, each, json_body
from mutants._relation_faults import _client
from mutants._wrong import Send, Tampering, WrongClient, on_parts, on_reply, rebuilt
from seedream import SeeDream
from seedream._files import partial_file
from seedream._protocol import download, tasks
from seedream_testing.contract import Part

_read, _save, _download = download.read, download.save, download._download


def _text(parts: Sequence[Part], name: str) -> bytes:
    return next((part.content for part in parts if part.name == name), b"")


def _four_of_4k(parts: Sequence[Part]) -> Sequence[Part]:
    many = _text(parts, "resolution") == b"4K" and int(_text(parts, "batchsize") or 1) > 4
    return each(parts, "batchsize", lambda _: b"4") if many else parts


def _without(name: str, when: Callable[[Sequence[Part]], bool]) -> Send:
    return on_parts(lambda parts: [part for part in parts if part.name != name] if when(parts) else parts)


def _ordered(least: int, key: Callable[[Part], Any]) -> Send:
    """From so many source images on, in another order."""

    def change(parts: Sequence[Part]) -> Sequence[Part]:
        files = [part for part in parts if part.filename]
        rest = [part for part in parts if not part.filename]
        return parts if len(files) < least else [*rest, *sorted(files, key=key)]

    return on_parts(change)


class _Remembering(SeeDream):
    """Answers what was asked before from memory."""

    def __init__(self, api_key: Any = None, **options: Any) -> None:
        super().__init__(api_key, **options)
        self.deleted: set[str] = set()
        self.sent: dict[str, Any] = {}

    def submit(self, prompt: str, **options: Any) -> Any:
        key = repr((prompt, options))
        if "source_images" in options or len(options) != 1:
            return super().submit(prompt, **options)
        if key not in self.sent:
            self.sent[key] = super().submit(prompt, **options)
        return self.sent[key]


class _DeletesOnce(_Remembering):
    def submit(self, prompt: str, **options: Any) -> Any:
        return SeeDream.submit(self, prompt, **options)

    def delete(self, *taskids: str) -> None:
        if not set(taskids) <= self.deleted:
            super().delete(*taskids)
        if len(taskids) == 1:
            self.deleted.update(taskids)


def _refresh_once(handle: Any) -> Any:
    """Ask nothing where the handle saw the end."""
    if handle.info is not None and handle.info.finished:
        return handle.info
    return handle._remember((yield from tasks.query(handle._client.service, handle.id)))


class _FirstKey:
    """Signs every request to an address as the first client that asked there."""

    def __init__(self) -> None:
        self.keys: dict[str, str] = {}

    def __call__(self, transport: Tampering, request: httpx.Request) -> httpx.Response:
        if "authorization" not in request.headers:
            return transport.plain(request)
        key = self.keys.setdefault(request.url.host, request.headers["authorization"])
        return transport.plain(rebuilt(request, headers={"authorization": key}))


def _locked(transport: Tampering, request: httpx.Request) -> httpx.Response:
    """Give up for good after a refused key."""
    seen = vars(transport)
    if seen.get("refused"):
        return httpx.Response(401)
    response = transport.plain(request)
    seen["refused"] = response.status_code == 401
    return response


class _Joining:
    """Resolves an address against the first of a chain."""

    def __init__(self) -> None:
        self.first: dict[str, str] = {}

    def __call__(self, base: str, location: str) -> str:
        first = self.first.get(base, base)
        url = urljoin(first, location)
        self.first[url] = first
        return url


def _joined_to_root(base: str, location: str) -> str:
    return urljoin(base, location if location.startswith(("http", "/", "?")) else f"/{location}")


def _states(change: Callable[[dict[str, Any]], bool], status: int) -> Send:
    send: Send = data(lambda found: {**found, "image_status": status} if change(found) else found)
    return send


def _said(word: str, old: int, new: int) -> Send:
    return on_reply(
        lambda reply: {**reply, "code": new} if reply.get("code") == old and word in str(reply.get("msg")) else reply
    )


def _read_any_number(api: Any, info: Any, *, images: Any, options: Any) -> Any:
    del images
    return _read(api, info, images=sum(map(bool, info.urls)) or None, options=options)


def _each_once(api: Any, info: Any, images: Any, options: Any, one: Any) -> Any:
    """Fetch no address twice."""
    urls = tuple(dict.fromkeys(info.urls))
    return _download(api, evolve(info, urls=urls), min(images or len(urls), len(urls)) or None, options, one)


def _keeps_type(file: partial_file.PartialFile) -> None:
    file._file.seek(0)
    file._file.truncate()
    file.size = 0


def _keeps_length(file: partial_file.PartialFile) -> None:
    file._file.seek(0)
    file.size, file.head = 0, b""


def _ids_once(body: dict[str, Any]) -> dict[str, Any]:
    return {"taskids": list(dict.fromkeys(body["taskids"]))} if "taskids" in body else body


def _running(found: dict[str, Any]) -> bool:
    return found.get("image_status") in (1, 2)


def _many_ids(body: dict[str, Any]) -> dict[str, Any]:
    return {"taskids": body["taskids"][:100]}


def _patched(name: str, rules: str, relation: str, patched: tuple[str, Any]) -> WrongClient:
    return WrongClient(name, rules, patches=(patched,), relation=relation)


def _keeps_count(file: partial_file.MemoryFile) -> None:
    file._data.clear()


COMBINED_CLIENTS: Final = (
    _client("asks for four pictures of 4K at most", "WIRE-EXACT", "send.together", on_parts(_four_of_4k)),
    _client("forgets the URL beside five files", "WIRE-EXACT SOURCE-IMAGE IMAGE-URL", "send.together", _without("imageUrl", lambda parts: sum(bool(part.filename) for part in parts) > 4)),
    _client("forgets the category beside a size", "WIRE-EXACT", "send.together", _without("category", lambda parts: b"x" in _text(parts, "resolution") and b"V5" in _text(parts, "category"))),
    _client("sorts five files by size", "SOURCE-IMAGE WIRE-EXACT", "send.order", _ordered(5, lambda part: len(part.content))),
    _client("sorts three files by name", "SOURCE-IMAGE WIRE-EXACT", "send.order", _ordered(3, lambda part: part.filename)),
    _client("sends JPEGs last", "SOURCE-IMAGE WIRE-EXACT", "send.order", _ordered(9, lambda part: part.media_type == "image/jpeg")),
    _client("deletes the first hundred", "TASK-ID", "list.length", json_body("/deleteimagestask", _many_ids)),
    _client("deletes each id once", "TASK-ID", "list.length", json_body("/deleteimagestask", _ids_once)),
    _client("reads fifteen addresses at most", "STATUS-MEANING", "list.length", data(lambda found: {**found, "url": found["url"][:15]} if isinstance(found.get("url"), list) else found)),
    _client("takes a message for a failure", "STATUS-MEANING", "task.members", _states(lambda found: _running(found) and bool(found.get("error_message")), 4)),
    _client("takes a URL for the end", "STATUS-MEANING", "task.members", _states(lambda found: _running(found) and bool(found.get("url")), 3)),
    _client("takes progress 100 for the end", "STATUS-MEANING", "task.members", _states(lambda found: found.get("progress") == 100, 3)),
    _client("believes the word credits", "CODE-MEANING", "code.words", _said("积分", 9999, 9000)),
    _client("believes the word success", "CODE-MEANING PAY-KNOWN", "code.words", _said("success", 9999, 1000)),
    _client("takes a word for a passing refusal", "CODE-MEANING", "code.words", _said("频繁", 9999, 4290)),
    _patched("answers refresh from memory", "TASK-OWN", "calls.again", ("seedream.client._TaskHandle._refresh", _refresh_once)),
    _client("deletes a task once", "TASK-OWN TASK-ID", "calls.again", None, _DeletesOnce),
    _client("submits the same only once", "TASK-OWN PAY-ONCE", "calls.again", None, _Remembering),
    _client("gives up after a refused key", "TASK-OWN", "calls.again", _locked),
    _client("signs as the first client", "AUTH-KEY AUTH-HEADER", "calls.again", _FirstKey()),
    _patched("resolves a redirect against the first address", "SERVER-PICTURES", "picture.chain", ("seedream._protocol.download.urljoin", _Joining())),
    _patched("resolves a name against the root", "SERVER-PICTURES", "picture.chain", ("seedream._protocol.download.urljoin", _joined_to_root)),
    _patched("resolves a redirect without its query", "SERVER-PICTURES KEY-PRIVATE WIRE-HTTP", "picture.chain", ("seedream._protocol.download.urljoin", lambda base, url: urljoin(base, url.partition("?")[0] or url))),
    _patched("does not miss a picture in memory", "PAY-KNOWN FILE-WHOLE SERVER-PICTURES", "picture.ways", ("seedream._protocol.download.read", _read_any_number)),
    _patched("takes a cut picture in memory", "FILE-WHOLE", "picture.ways", ("seedream._files.partial_file.MemoryFile.is_whole", lambda file: file.kind() is not None)),
    _patched("fetches no address twice", "PAY-KNOWN FILE-WHOLE SERVER-PICTURES", "picture.ways", ("seedream._protocol.download._download", _each_once)),
    _patched("keeps the type of the first try", "FILE-TYPE FILE-WHOLE", "picture.second-try", ("seedream._files.partial_file.PartialFile.restart", _keeps_type)),
    _patched("keeps the end of a longer try", "FILE-TYPE FILE-WHOLE", "picture.second-try", ("seedream._files.partial_file.PartialFile.restart", _keeps_length)),
    _patched("goes on in memory where it broke off", "FILE-TYPE FILE-WHOLE", "picture.second-try", ("seedream._files.partial_file.MemoryFile.restart", lambda file: None)),
    _patched("counts the bytes of an earlier try", "FILE-WHOLE SERVER-PICTURES FILE-TYPE", "picture.second-try", ("seedream._files.partial_file.MemoryFile.restart", _keeps_count)),
)  # fmt: skip
