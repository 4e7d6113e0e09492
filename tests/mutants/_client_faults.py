"""What wrong clients do: transports that tamper, and classes with one method changed."""

import json
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import facts
import httpx
import judge
from mutants._wrong import Tampering, is_submit, on_parts, on_reply, rebuilt, with_content
from seedream import SeeDream, SubmissionUnknown, TaskInfo, WaitTimeout, errors
from seedream._files.partial_file import PartialFile as PartFile
from seedream._protocol.download import save
from seedream_testing.contract import Part, text
from seedream_testing.contract.decode import parse_with_werkzeug


def fixed_boundary(request: httpx.Request) -> httpx.Request:
    mark = request.headers["content-type"].partition("boundary=")[2].encode()
    parts = request.content.replace(b"--" + mark, b"--+++")
    return rebuilt(request, parts, {"content-type": "multipart/form-data; boundary=+++"})


def urlencoded(request: httpx.Request) -> httpx.Request:
    parts = parse_with_werkzeug(request.headers["content-type"], request.content)
    body = urlencode([(part.name, part.content) for part in parts]).encode()
    return rebuilt(request, body, {"content-type": "application/x-www-form-urlencoded"})


def extra_part_header(request: httpx.Request) -> httpx.Request:
    return rebuilt(
        request, request.content.replace(b"Content-Type: image/png", b"X-Evil: 1\r\nContent-Type: image/png")
    )


def again_when_lost(transport: Tampering, request: httpx.Request) -> httpx.Response:
    try:
        return transport.plain(request)
    except httpx.TransportError:
        return transport.plain(unseen(request))


def again_on_500(transport: Tampering, request: httpx.Request) -> httpx.Response:
    response = transport.plain(request)
    return response if response.status_code < 500 else transport.plain(unseen(request))


def unseen(request: httpx.Request) -> httpx.Request:
    """Return the request once more, without the trace by which the client would notice."""
    return httpx.Request(request.method, request.url, headers=request.headers, content=request.content)


def by_task(api: Any, info: Any, directory: Path, **options: Any) -> Any:
    """Saves pictures where the task id says."""
    return save(api, info, directory / Path(info.taskid).parent, **options)


def twice(transport: Tampering, request: httpx.Request) -> httpx.Response:
    if is_submit(request):
        transport.plain(request).read()
    return transport.plain(request)


def follows(transport: Tampering, request: httpx.Request) -> httpx.Response:
    response = transport.plain(request)
    if request.method == "POST" and response.status_code in (307, 308):
        return transport.plain(rebuilt(request, url=response.headers["location"]))
    return response


class AfterRefusal:
    """Repeats a submission that met a 429 without its files."""

    def __init__(self) -> None:
        self.refused = False

    def __call__(self, transport: Tampering, request: httpx.Request) -> httpx.Response:
        if not is_submit(request):
            return transport.plain(request)
        bare = on_parts(lambda parts: [part for part in parts if part.filename is None])
        response = (bare if self.refused else Tampering.plain)(transport, request)
        self.refused = response.status_code == HTTPStatus.TOO_MANY_REQUESTS
        return response


def key_to_image_host(transport: Tampering, request: httpx.Request) -> httpx.Response:
    headers = {"authorization": "Bearer sk-contract-MARKER-0123456789"} if request.method == "GET" else {}
    return transport.plain(rebuilt(request, headers=headers))


def key_in_image_url(transport: Tampering, request: httpx.Request) -> httpx.Response:
    url = request.url.copy_merge_params({"key": "sk-contract-MARKER-0123456789"})
    return transport.plain(rebuilt(request, url=url) if request.method == "GET" else request)


def cookies(transport: Tampering, request: httpx.Request) -> httpx.Response:
    return transport.plain(rebuilt(request, headers={"cookie": "session=1"} if request.method == "GET" else {}))


def codes(old: int, new: int) -> Any:
    return on_reply(lambda envelope: {**envelope, "code": new} if envelope.get("code") == old else envelope)


def data(change: Any) -> Any:
    return on_reply(
        lambda envelope: (
            {**envelope, "data": change(envelope["data"])} if isinstance(envelope.get("data"), dict) else envelope
        )
    )


def json_body(path: str, change: Any) -> Any:
    def send(transport: Tampering, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith(path):
            request = rebuilt(request, json.dumps(change(json.loads(request.content))).encode())
        return transport.plain(request)

    return send


def forgets_task_ids_of_errors(transport: Tampering, request: httpx.Request) -> httpx.Response:
    response = transport.plain(request)
    return response if response.status_code < 500 else httpx.Response(response.status_code)


class Clamps(SeeDream):
    def submit(self, prompt: str, **options: Any) -> Any:
        if isinstance(options.get("batchsize"), int):
            options["batchsize"] = min(options["batchsize"], facts.LARGEST)
        return super().submit(prompt, **options)


class Upscales(SeeDream):
    def submit(self, prompt: str, **options: Any) -> Any:
        if options.get("resolution") in ("1500x1500", judge.TOO_FEW_PIXELS):
            options["resolution"] = "2K"
        return super().submit(prompt, **options)


class Timid(SeeDream):
    def submit(self, prompt: str, **options: Any) -> Any:
        if (options.get("batchsize") or 1) >= facts.LARGEST:
            raise errors.InvalidRequest("too many", rule="BATCH-RANGE")
        return super().submit(prompt, **options)


class Mute(SeeDream):
    def submit(self, prompt: str, **options: Any) -> Any:
        try:
            return super().submit(prompt, **options)
        except errors.InvalidRequest:
            raise errors.InvalidRequest("the request is invalid") from None


class Reassuring(SeeDream):
    def submit(self, prompt: str, **options: Any) -> Any:
        try:
            return super().submit(prompt, **options)
        except SubmissionUnknown as error:
            error.billing = "no"  # type: ignore[assignment]  # the fault
            raise


class Showing(SeeDream):
    def __repr__(self) -> str:
        return f"SeeDream({self.service.key})"


class Careless(SeeDream):
    def delete(self, *taskids: str) -> None:
        try:
            super().delete(*taskids)
        except errors.SeeDreamError:
            return


class Impatient(SeeDream):
    def run(self, flow: Any) -> Any:
        try:
            return super().run(flow)
        except WaitTimeout as error:
            raise errors.TaskFailed("timed out") from error


class Naive(SeeDream):
    def query(self, taskid: str) -> TaskInfo:
        info = super().query(taskid)
        if not isinstance(info.raw["width"], int):
            raise TypeError("width")
        return info


class InPlace(PartFile):
    def __attrs_post_init__(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self._path = self.directory / f"{self.stem}.png"
        self._file = self._path.open("w+b", buffering=0)

    def discard(self) -> None:
        self._file.close()


class UrlsExtension(PartFile):
    def finish(self, target: Path | None = None) -> Path:
        return super().finish(target).rename(self.directory / f"{self.stem}.jpg")


class LeavesParts(PartFile):
    def discard(self) -> None:
        self._file.close()


def uncounted(*arguments: Any, **options: Any) -> Any:
    return save(*arguments, **{**options, "images": None})


def stated(parts: Any, name: str, value: object) -> list[Part]:
    return [*parts, *([] if any(part.name == name for part in parts) else [text(name, value)])]


def each(parts: Any, name: str, change: Any) -> list[Part]:
    return [with_content(part, change(part.content)) if part.name == name else part for part in parts]
