"""Checks of downloads: the key stays at home, files are whole or not there, bytes tell their type."""

from functools import partial
from pathlib import Path
from typing import Any

from contract.client_checks.under_test import KEY, TASK, ClientUnderTest, FakeBackend, check, fake_backend, picture
from contract.recording_server import RecordingServer, ScriptedReply
from seedream import errors
from seedream_testing.contract.samples import jpeg, png
from seedream_testing.contract.violation import Sent, Violation


def _files(backend: FakeBackend) -> list[Path]:
    return sorted(path for path in backend.directory.rglob("*") if path.is_file())


def _save(backend: FakeBackend, images: int | None = None) -> list[Path] | errors.SeeDreamError:
    try:
        return list(backend.client.task(TASK, images=images).save(backend.directory))
    except errors.SeeDreamError as error:
        return error


# The header fields that fetching a picture needs; any other tells the image host more than it has to know.
_NEEDED = {"host", "accept", "accept-encoding", "user-agent", "connection", "range", "if-range"}


@check("KEY-PRIVATE")
def the_image_host_never_sees_the_key(subject: ClientUnderTest) -> None:
    """Neither the image host nor where it redirects gets the key or a cookie."""
    with RecordingServer(picture()) as second:

        def first(sent: Sent) -> ScriptedReply:
            if sent.path.startswith("/moved"):
                return ScriptedReply(302, headers={"location": f"{second.url}/1.png", "set-cookie": "a=b"})
            return picture()

        with fake_backend(subject, first, lambda host: [f"{host}/1.png", f"{host}/moved"]) as backend:
            saved = _save(backend)
            if isinstance(saved, Exception) or len(saved) != 2:
                raise Violation(f"two pictures gave {saved!r}", rule="SERVER-PICTURES")
            for sent in [*backend.images.sent, *second.sent]:
                if KEY in repr(sent.headers) + sent.url or sent.header("authorization") or sent.header("cookie"):
                    raise Violation(f"the key or a cookie went to {sent.url}", rule="KEY-PRIVATE", sent=sent)
                if others := {name.lower() for name, _ in sent.headers} - _NEEDED:
                    raise Violation(f"{sorted(others)} went to {sent.url}", rule="WIRE-EXACT", sent=sent)


def _with_gap(gap: Any, host: str) -> list[str]:
    return [f"{host}/1.png", gap, f"{host}/3.png"]


def _with_user(user: str, host: str) -> list[str]:
    return [host.replace("://", f"://{user}") + "/1.png"]


@check("SERVER-PICTURES")
def a_missing_address_moves_no_other_picture(subject: ClientUnderTest) -> None:
    """Where one address of three is missing, the others keep their numbers, and it is the second that is reported."""
    for gap in (None, "", 7):
        with fake_backend(subject, picture(), partial(_with_gap, gap)) as backend:
            error = _save(backend, images=3)
            if not isinstance(error, errors.DownloadError) or set(error.errors) != {1} or set(error.files) != {0, 2}:
                raise Violation(f"with {gap!r} as second address it gave {error!r}", rule="SERVER-PICTURES")


@check("SERVER-PICTURES")
def an_expired_address_is_asked_for_again(subject: ClientUnderTest) -> None:
    """A picture whose signed address has expired is fetched from the one that a new query gives."""
    for status in (403, 404, 410):
        addresses = ["/old.png", "/new.png"]

        def host(sent: Sent, status: int = status) -> ScriptedReply:
            return ScriptedReply(status) if sent.path == "/old.png" else picture()

        def urls(url: str, addresses: list[str] = addresses) -> list[str]:
            return [url + (addresses.pop(0) if len(addresses) > 1 else addresses[0])]

        with fake_backend(subject, host, urls) as backend:
            saved = _save(backend)
            if isinstance(saved, Exception) or len(saved) != 1:
                raise Violation(f"after HTTP {status} it gave {saved!r}", rule="SERVER-PICTURES")


@check("KEY-PRIVATE")
def an_address_with_a_password_is_refused(subject: ClientUnderTest) -> None:
    """A picture's address that holds a user or a password is not fetched."""
    for user in ("user:password@", "user@", ":password@"):
        with fake_backend(subject, picture(), partial(_with_user, user)) as backend:
            saved = _save(backend)
            if not isinstance(saved, errors.UnsafeUrl) or backend.images.sent:
                raise Violation(f"an address with {user} gave {saved!r}", rule="KEY-PRIVATE")


@check("FILE-TYPE")
def the_bytes_name_the_file(subject: ClientUnderTest) -> None:
    """The extension follows the bytes, whatever URL and Content-Type say; the bytes are kept as they came."""
    bodies = {"/1.jpg": (png(), ".png"), "/2.png?x=.gif": (jpeg(), ".jpg"), "/3": (png(shade=7), ".png")}

    def host(sent: Sent) -> ScriptedReply:
        return ScriptedReply(200, bodies[sent.path][0], {"content-type": "image/webp"})

    with fake_backend(subject, host, lambda url: [url + path for path in bodies]) as backend:
        saved = _save(backend)
        if isinstance(saved, Exception):
            raise Violation(f"three pictures gave {saved!r}", rule="FILE-TYPE")
        found = [(path.read_bytes(), path.suffix) for path in saved]
        if found != list(bodies.values()):
            raise Violation(f"files {[path.name for path in saved]} are not what the bytes say", rule="FILE-TYPE")
        if _files(backend) != sorted(saved):
            raise Violation(f"other files are left: {_files(backend)}", rule="FILE-WHOLE")


@check("FILE-WHOLE")
def a_file_is_whole_or_not_there(subject: ClientUnderTest) -> None:
    """While a picture comes in, its name is not taken; what is cut, no picture or too large leaves no file."""
    seen: list[str] = []

    def look() -> None:
        seen.extend(path.name for path in _files(backend) if path.suffix in (".png", ".jpg", ".webp", ".bin"))

    whole = ScriptedReply(200, png(64, 64), {"content-type": "image/png"}, midway=look)
    with fake_backend(subject, whole, lambda host: [f"{host}/1.png"]) as backend:
        saved = _save(backend)
        if isinstance(saved, Exception) or seen:
            raise Violation(f"while it came in, {seen} was there; it gave {saved!r}", rule="FILE-WHOLE")
    body, kind = png(64, 64), {"content-type": "image/png"}
    for name, answer in {
        "a cut picture": ScriptedReply(200, body[:-20], {**kind, "content-length": str(len(body))}),
        "a picture cut before its end mark": ScriptedReply(200, body[:-20], kind),
        "an error page": ScriptedReply(200, b"<html>gone</html>", kind),
        "nothing": ScriptedReply(200, b"", kind),
        "a refusal": ScriptedReply(403, b"<Error/>"),
        "a server error": ScriptedReply(500),
    }.items():
        with fake_backend(subject, answer, lambda host: [f"{host}/1.png"]) as backend:
            saved = _save(backend)
            if not isinstance(saved, errors.DownloadError):
                raise Violation(f"{name} gave {saved!r}, not a DownloadError", rule="FILE-WHOLE")
            if _files(backend):
                raise Violation(f"{name} left {[path.name for path in _files(backend)]}", rule="FILE-WHOLE")


@check("FILE-WHOLE")
def missing_pictures_are_told(subject: ClientUnderTest) -> None:
    """Fewer URLs than were paid for, or one that fails: an error that names what is there and what is not."""
    with fake_backend(subject, picture(), lambda host: [f"{host}/1", f"{host}/2"]) as backend:
        saved = _save(backend, images=3)
        if not isinstance(saved, errors.DownloadError) or sorted(saved.files) != [0, 1] or sorted(saved.errors) != [2]:
            raise Violation(f"two pictures of three gave {saved!r}", rule="PAY-KNOWN")

    def host(sent: Sent) -> ScriptedReply:
        return ScriptedReply(500) if sent.path == "/2" else picture()

    with fake_backend(subject, host, lambda url: [f"{url}/1", f"{url}/2", f"{url}/3"]) as backend:
        saved = _save(backend, images=3)
        if not isinstance(saved, errors.DownloadError) or sorted(saved.files) != [0, 2] or len(_files(backend)) != 2:
            raise Violation(f"a broken picture of three gave {saved!r}", rule="PAY-KNOWN")


@check("URL-SAFE")
def only_web_addresses_are_fetched(subject: ClientUnderTest) -> None:
    """Files of this machine and other schemes are never read, whatever a server or a redirect says."""
    with fake_backend(subject, ScriptedReply(302, headers={"location": "file:///etc/hostname"}),
                lambda host: [f"{host}/1"]) as backend:  # fmt: skip
        _nothing(backend, "a redirect to file:")
    for url in (
        "file:///etc/hostname",
        "ftp://127.0.0.1/1.png",
        "/etc/hostname",
        "data:image/png;base64,iVBORw0KGgo=",
        "",
    ):
        with fake_backend(subject, picture(), [url]) as backend:
            _nothing(backend, repr(url))


def _nothing(backend: FakeBackend, what: str) -> None:
    saved = _save(backend)
    if not isinstance(saved, errors.SeeDreamError) or _files(backend):
        raise Violation(f"{what} gave {saved!r}", rule="URL-SAFE")


@check("FILE-PLACE")
def a_task_id_never_becomes_a_path(subject: ClientUnderTest) -> None:
    """Pictures of a task whose id looks like a path stay in the directory that was named."""
    odd = ["../escape", "../../escape", "/escape", "a/../../b", "..", "con.", "x" * 5000, "\0", "图", "a\nb"]
    for taskid in odd:
        with fake_backend(subject, picture(), lambda host: [f"{host}/1"], taskid=taskid) as backend:
            inner = backend.directory / "inner"
            try:
                saved = backend.client.task(taskid).save(inner)
            except errors.SeeDreamError:
                saved = []  # refusing such an id is as good
            if {path.resolve().parent for path in saved} - {inner.resolve()} or _files(backend) != saved:
                raise Violation(f"task id {taskid[:40]!r} wrote {saved} and {_files(backend)}", rule="FILE-PLACE")


@check("KEY-PRIVATE")
def api_and_image_host_share_no_state(subject: ClientUnderTest) -> None:
    """Cookies that a host sets are kept for nobody: neither for the other host nor for its own next request."""
    crumb = {"set-cookie": "crumb=1; Path=/"}

    def host(sent: Sent) -> ScriptedReply:
        del sent
        return ScriptedReply(200, png(), {"content-type": "image/png", **crumb})

    with fake_backend(subject, host, lambda url: [f"{url}/1", f"{url}/2"]) as backend:
        made = backend.api.script

        def api(sent: Sent) -> ScriptedReply | None:
            reply = made(sent) if callable(made) else made
            return None if reply is None else ScriptedReply(reply.status, reply.body, {**reply.headers, **crumb})

        backend.api.script = api
        for number in range(2):
            backend.client.generate(f"a fish {number}", batchsize=2, output_dir=backend.directory)
        for sent in (*backend.api.sent, *backend.images.sent):
            if sent.header("cookie"):
                raise Violation(
                    f"{sent.url} was sent the cookie {sent.header('cookie')}", rule="KEY-PRIVATE", sent=sent
                )
