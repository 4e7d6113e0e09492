"""Wrong clients for the relations: at least one fault for each of them."""

# ruff: noqa: E501 -- one fault a line reads as a table

import gzip
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import httpx
from attrs import evolve
from mutants._client_faults import codes, data, each, json_body, stated, unseen
from mutants._wrong import Send, Tampering, WrongClient, is_submit, on_parts, rebuilt
from seedream import SeeDream, SeeDreamError
from seedream._files import partial_file
from seedream._protocol import download, outcome
from seedream._protocol.effects import Failure, InParallel
from seedream._protocol.progress import Progress
from seedream._protocol.retry import retry_after


class _Submitting(SeeDream):
    """Changes the options of a submission."""

    def change(self, options: dict[str, Any]) -> dict[str, Any]:
        return options

    def _run_submit(self, prompt: str, given: Any) -> Any:
        return super()._run_submit(prompt, self.change(dict(given)))


class TrueIsOne(_Submitting):
    def change(self, options: dict[str, Any]) -> dict[str, Any]:
        return {**options, "batchsize": 1 if options["batchsize"] is True else options["batchsize"]}


class Reduces(_Submitting):
    def change(self, options: dict[str, Any]) -> dict[str, Any]:
        given = options["resolution"]
        return {
            **options,
            "resolution": {"8:6": "4:3", "2:2": "1:1"}.get(given, given) if isinstance(given, str) else given,
        }


class ReadsOnce(_Submitting):
    """Reads an open file with one call, which need not give all of it."""

    def change(self, options: dict[str, Any]) -> dict[str, Any]:
        given = options["source_images"]
        return {
            **options,
            "source_images": given.read(2**20) if hasattr(given, "getbuffer") or hasattr(given, "_size") else given,
        }


class LeavesOut(_Submitting):
    def change(self, options: dict[str, Any]) -> dict[str, Any]:
        given = options["source_images"]
        kept = (
            [one for one in given if one is not None and not (isinstance(one, bytes) and one.startswith(b"text"))]
            if isinstance(given, list)
            else given
        )
        return {**options, "source_images": kept}


class KeyAtBlank(SeeDream):
    def __init__(self, api_key: Any = None, **options: Any) -> None:
        super().__init__(api_key.partition(" ")[0] if isinstance(api_key, str) else api_key, **options)


class Mixing(SeeDream):
    """Keeps the last result in the client, which threads share."""

    last: Any = None

    def _run_submit(self, prompt: str, given: Any) -> Any:
        self.last = super()._run_submit(prompt, given)
        time.sleep(0.02)
        return self.last


class Endless(SeeDream):
    def close(self) -> None:
        """Close nothing."""


class Reusing(SeeDream):
    def __init__(self, api_key: Any = None, **options: Any) -> None:
        super().__init__(api_key, reuse_submit_connections=60.0, **options)


class Trusting(SeeDream):
    def __init__(self, api_key: Any = None, **options: Any) -> None:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        super().__init__(api_key, **{"verify": context, **options})


class Swallows(SeeDream):
    def _run_generate(self, prompt: str, given: Any, **options: Any) -> Any:
        told = options.get("progress")

        def progress(event: Any) -> None:
            with suppress(Exception):
                told(event)  # type: ignore[misc]  # it is one where it is called

        return super()._run_generate(prompt, given, **{**options, "progress": progress if callable(told) else told})


class _NotSynced(partial_file.PartialFile):
    def finish(self, target: Path | None = None) -> Path:
        kind = self.kind()
        target = target or self.directory / f"{self.stem}.{kind.extension if kind else 'bin'}"
        self._file.close()
        return Path(self._path.replace(target))


_classify, _real_receive, _wrong_url = outcome.classify, download._receive, download._wrong_url
_real_attempt = download._attempt
_STATE: Final = {"count": 0}


def _counted(request: httpx.Request) -> httpx.Request:
    _STATE["count"] += 1
    old = request.headers["content-type"].partition("boundary=")[2].encode()
    new = b"seedream%024d" % _STATE["count"]
    body = request.content.replace(b"--" + old, b"--" + new)
    return rebuilt(request, body, {"content-type": f"multipart/form-data; boundary={new.decode()}"})


def _resend(*statuses: int) -> Send:
    def send(transport: Tampering, request: httpx.Request) -> httpx.Response:
        response = transport.plain(request)
        if is_submit(request) and response.status_code in statuses:
            response.read()
            return transport.plain(unseen(request))
        return response

    return send


def _again_after_time(transport: Tampering, request: httpx.Request) -> httpx.Response:
    began = time.monotonic()
    try:
        response = transport.plain(request)
        response.read()
    except httpx.TransportError:
        if time.monotonic() - began > 0.2 and is_submit(request):
            return transport.plain(unseen(request))
        raise
    return response


def _cut_ids(length: int) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda found: (
        {**found, "taskid": found["taskid"][:length]} if isinstance(found.get("taskid"), str) else found
    )


def _alike(transport: Tampering, request: httpx.Request) -> httpx.Response:
    """Take an id that begins alike for the same."""
    asked = request.content.decode("utf-8", "replace").partition('"taskid":"')[2].partition('"')[0]

    def change(found: dict[str, Any]) -> dict[str, Any]:
        got = found.get("taskid")
        return (
            {**found, "taskid": asked}
            if asked and isinstance(got, str) and got and got.startswith(asked[:10])
            else found
        )

    return data(change)(transport, request)  # type: ignore[no-any-return]  # as it is declared


def _plain_gzip(transport: Tampering, request: httpx.Request) -> httpx.Response:
    """Answer what is compressed as if it were garbled."""
    response = transport.plain(request)
    if request.method == "POST" and response.headers.get("content-encoding"):
        return httpx.Response(response.status_code, content=gzip.compress(b"?"))
    return response


def _sorted_query(transport: Tampering, request: httpx.Request) -> httpx.Response:
    raw = str(request.url)
    head, mark, query = raw.partition("?")
    return transport.plain(
        rebuilt(request, url=head + mark + "&".join(sorted(query.split("&"))))
        if request.method == "GET" and query
        else request
    )


def _unlimited(picture: Any, stream: Any, *rest: Any) -> Any:
    """No limit where no length is stated."""
    if "content-length" not in stream.headers:
        picture = evolve(picture, options=evolve(picture.options, max_bytes=2**50))
    return _real_receive(picture, stream, *rest)


def _addressed(picture: Any, info: Any, one: Any) -> Any:
    """Show the address of a picture that failed."""
    result = yield from _real_attempt(picture, info, one)
    if isinstance(result, SeeDreamError) and picture.index < len(info.urls):
        result.args = (f"{result.args[0]} ({info.urls[picture.index]})",)
    return result


def _sent_in_part(result: Any, envelope: Any) -> Any:
    if isinstance(result, Failure) and result.phase == "sent_partial":
        return outcome.SubmissionOutcome.NOT_SENT
    return _classify(result, envelope)


def _tls_again(result: Any, envelope: Any) -> Any:
    became = _classify(result, envelope)
    return outcome.SubmissionOutcome.NOT_SENT if became is outcome.SubmissionOutcome.TLS_REFUSED else became


def _no_journal(record: Any, error: Any) -> None:
    """Forget what became of it."""


def _after_every_408(policy: Any, became: Any, attempt: int, after: float | None, draw: float) -> float | None:
    if attempt >= policy.attempts or became.value not in ("request timeout", "rate limited", "not sent"):
        return None
    return max(policy.delay(attempt, draw), after or 0) if (after or 0) <= policy.retry_after_cap else None


def _client(
    name: str, rules: str, relation: str, send: Send | None = None, kind: type[SeeDream] = SeeDream
) -> WrongClient:
    return WrongClient(name, rules, send, kind, (), relation)


def _get_without(*names: str) -> Send:
    return lambda transport, request: transport.plain(rebuilt(request, headers=dict.fromkeys(names, "")))


# Name, rules, relation, what of the client is replaced, and by what.
# fmt: off
_REPLACED: Final[tuple[tuple[str, str, str, str, Any], ...]] = (
    ("shows a server's words as they came", "ERROR-TREE KEY-PRIVATE", "reply.words", "_protocol.failures.server_text", lambda given, *_, **__: given),
    ("sends a file that was changed", "WIRE-EXACT SOURCE-IMAGE", "send.again",
     "_request.source_images.SourceFile._check_state", lambda file, fd: None),
    ("sends again what was sent in part", "PAY-ONCE PAY-KNOWN", "fault.cut", "_protocol.submit.classify", _sent_in_part),
    ("tries a refused handshake again", "KEY-PRIVATE PAY-KNOWN PAY-ONCE", "fault.never-sent", "_protocol.submit.classify", _tls_again),
    ("sends again after every 408", "PAY-ONCE", "retry.sequence",
     "_protocol.retry.RetryPolicy.next_delay", _after_every_408),
    ("waits a minute at most for Retry-After", "PAY-KNOWN", "retry.pause",
     "_protocol.submit.retry_after", lambda reply: None if (asked := retry_after(reply)) is None else min(asked, 60.0)),
    ("keeps cookies on errors", "KEY-PRIVATE", "reply.status",
     "_support.redact._KEPT_HEADERS", frozenset({"set-cookie", "retry-after", "x-request-id", "content-type", "date", "server", "location"})),
    ("repeats a query that was refused", "STATUS-MEANING", "task.status", "_protocol.tasks._worth_repeating", lambda answer: True),
    ("asks every second", "STATUS-MEANING", "wait.states", "_protocol.tasks._POLL_GROWTH", 1.0),
    ("gives a new task ten seconds to appear", "PAY-KNOWN STATUS-MEANING", "wait.deadline", "_protocol.tasks._NOT_FOUND_FOR", 10.0),
    ("tells no state while it waits", "STATUS-MEANING", "wait.progress",
     "_protocol.tasks.Progress", lambda stage, taskid, elapsed, state: Progress(stage, taskid, elapsed)),
    ("asks five times for what is no picture", "SERVER-PICTURES", "picture.failure", "_protocol.download._ODD_TRIES", 5),
    ("has no limit for a picture of no stated length", "FILE-WHOLE", "picture.limit", "_protocol.download._receive", _unlimited),
    ("goes on by a weak ETag", "FILE-WHOLE", "picture.resume", "_protocol.download._strong_tag", lambda stream: stream.headers.get("etag", "")),
    ("asks for a fresh address once", "SERVER-PICTURES", "picture.expired", "_protocol.download._FRESH_URLS", 1),
    ("fetches all pictures at once", "SERVER-PICTURES", "picture.several",
     "_protocol.download.InParallel", lambda pictures, count: InParallel(pictures, 64)),
    ("shows the address of a picture that failed", "KEY-PRIVATE", "picture.failure", "_protocol.download._attempt", _addressed),
    ("fetches one picture after another", "SERVER-PICTURES", "picture.several",
     "_protocol.download.InParallel", lambda pictures, count: InParallel(pictures, 1)),
    ("fetches what is there already", "SERVER-PICTURES FILE-WHOLE", "picture.file", "_protocol.download.find_complete", lambda *arguments: None),
    ("pays before it looks at the folder", "PAY-KNOWN", "picture.place", "_files.partial_file.ensure_writable", lambda directory: directory),
    ("follows redirects into private networks", "URL-SAFE", "picture.safety", "_protocol.download.is_private", lambda host: False),
    ("follows forty redirects", "URL-SAFE", "picture.host", "_protocol.download._HOPS", 40),
    ("tells no bytes of a download", "SERVER-PICTURES", "picture.progress",
     "_protocol.download.Progress", lambda *given: evolve(Progress(*given), received=0)),
    ("does not record what is unknown", "PAY-KNOWN", "journal.record", "journal.submission_record.SubmissionRecord.unknown", _no_journal),
    ("shows the key in its configuration", "KEY-PRIVATE", "client.shown",
     "_protocol.service.ApiConfig.__repr__", lambda config: f"ApiConfig({config.key})"),
    ("has one limit for all replies", "PAY-KNOWN PAY-ONCE", "connection.time",
     "_support.timing.Timeouts.read", lambda limits, kind: limits.query_read),
    ("renames a picture that is not on the disk", "FILE-WHOLE", "picture.durable", "_protocol.download.PartialFile", _NotSynced),
    ("hints at one size always", "RES-PIXELS", "value.resolution", "resolution.nearest_size", lambda width, height: (1920, 1080)),
)
# fmt: on

RELATION_CLIENTS: Final = (
    *(
        WrongClient(name, rules, None, SeeDream, ((f"seedream.{target}", value),), relation)
        for name, rules, relation, target, value in _REPLACED
    ),
    _client("takes True for one picture", "BATCH-RANGE", "send.batchsize", None, TrueIsOne),
    _client("reduces a ratio", "RES-FORMAT RES-RATIO", "send.resolution", None, Reduces),
    _client(
        "folds the category",
        "PROMPT-REQUIRED CATEGORY-DEFAULT WIRE-EXACT",
        "send.text",
        on_parts(lambda parts: each(parts, "category", lambda text: text.replace("é".encode(), "e\u0301".encode()))),
    ),
    _client(
        "drops the fragment of an image URL",
        "IMAGE-URL PROMPT-REQUIRED WIRE-EXACT",
        "send.url",
        on_parts(
            lambda parts: each(
                parts, "imageUrl", lambda url: url.partition(b"#")[0] if url.startswith(b"http") else url
            )
        ),
    ),
    _client("reads an open file with one call", "SOURCE-IMAGE", "send.file", None, ReadsOnce),
    _client("leaves out source images that are none", "SOURCE-IMAGE", "send.no-file", None, LeavesOut),
    _client(
        "calls every file image",
        "SOURCE-IMAGE",
        "send.file-name",
        on_parts(
            lambda parts: [
                evolve(part, filename=f"image.{part.filename.rpartition('.')[2]}") if part.filename else part
                for part in parts
            ]
        ),
    ),
    _client(
        "says the default when a category is given",
        "WIRE-EXACT PROMPT-REQUIRED",
        "send.fields",
        on_parts(
            lambda parts: (
                stated(parts, "batchsize", 1)
                if any(part.name == "category" for part in parts) and any(part.name == "resolution" for part in parts)
                else parts
            )
        ),
    ),
    _client(
        "counts its boundaries",
        "WIRE-BOUNDARY",
        "send.form",
        lambda transport, request: transport.plain(_counted(request) if is_submit(request) else request),
    ),
    _client("loses the caller's headers", "WIRE-HTTP", "send.headers", _get_without("x-tenant", "x-trace")),
    _client("takes a key up to its first blank", "KEY-PRIVATE AUTH-KEY AUTH-HEADER", "send.setup", None, KeyAtBlank),
    _client("sends again after a 425", "PAY-ONCE PAY-KNOWN", "reply.status", _resend(425)),
    _client("takes code 0 for success", "CODE-MEANING PAY-KNOWN PAY-ONCE", "reply.code", codes(0, 1000)),
    _client("cuts task ids at 100 characters", "TASK-ID PAY-KNOWN", "reply.taskid", data(_cut_ids(100))),
    _client("does not read what is compressed", "PAY-KNOWN", "reply.framing", _plain_gzip),
    _client("sends again after a time-out", "PAY-ONCE PAY-KNOWN", "fault.stall", _again_after_time),
    _client(
        "asks for ids in small letters",
        "TASK-ID",
        "task.id",
        json_body("/infobytaskid", lambda body: {"taskid": body["taskid"].lower()}),
    ),
    _client(
        "takes the last two digits of a status",
        "STATUS-MEANING",
        "task.reading",
        data(
            lambda found: (
                {**found, "image_status": found["image_status"] % 100}
                if type(found.get("image_status")) is int
                else found
            )
        ),
    ),
    _client("takes an id that begins alike", "TASK-OWN", "task.owner", _alike),
    _client("sorts the query of a picture's address", "SERVER-PICTURES FILE-TYPE", "picture.whole", _sorted_query),
    _client("mixes calls of two threads", "TASK-OWN PAY-ONCE", "calls.together", None, Mixing),
    _client("goes on after its end", "ERROR-TREE PAY-KNOWN", "client.end", None, Endless),
    _client("submits on kept connections", "PAY-ONCE", "connection.share", None, Reusing),
    _client("trusts every certificate", "KEY-PRIVATE", "connection.trust", None, Trusting),
    _client("swallows what the caller raises", "ERROR-TREE", "caller.callback", None, Swallows),
)
