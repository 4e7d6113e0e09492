"""Checks of downloads: the key stays at home, files are whole or not there, bytes tell their type."""

from pathlib import Path

from seedream import errors

from seedream_testing.contract.client.under_test import KEY, TASK, Bench, Studio, check, picture, studio
from seedream_testing.contract.recording_server import Answer, Witness
from seedream_testing.contract.samples import jpeg, png
from seedream_testing.contract.violation import Sent, Violation


def _files(scene: Studio) -> list[Path]:
    return sorted(path for path in scene.directory.rglob("*") if path.is_file())


def _save(scene: Studio, images: int | None = None) -> list[Path] | errors.SeeDreamError:
    try:
        return list(scene.client.task(TASK, images=images).save(scene.directory))
    except errors.SeeDreamError as error:
        return error


@check("KEY-PRIVATE")
def the_image_host_never_sees_the_key(bench: Bench) -> None:
    """Neither the image host nor where it redirects gets the key or a cookie."""
    with Witness(picture()) as second:

        def first(sent: Sent) -> Answer:
            if sent.path.startswith("/moved"):
                return Answer(302, headers={"location": f"{second.url}/1.png", "set-cookie": "a=b"})
            return picture()

        with studio(bench, first, lambda host: [f"{host}/1.png", f"{host}/moved"]) as scene:
            saved = _save(scene)
            if isinstance(saved, Exception) or len(saved) != 2:  # noqa: PLR2004 -- as many as URLs
                raise Violation(f"two pictures gave {saved!r}", rule="SERVER-PICTURES")
            for sent in [*scene.images.sent, *second.sent]:
                if KEY in repr(sent.headers) + sent.url or sent.header("authorization") or sent.header("cookie"):
                    raise Violation(f"the key or a cookie went to {sent.url}", rule="KEY-PRIVATE", sent=sent)


@check("FILE-TYPE")
def the_bytes_name_the_file(bench: Bench) -> None:
    """The extension follows the bytes, whatever URL and Content-Type say; the bytes are kept as they came."""
    bodies = {"/1.jpg": (png(), ".png"), "/2.png?x=.gif": (jpeg(), ".jpg"), "/3": (png(shade=7), ".png")}

    def host(sent: Sent) -> Answer:
        return Answer(200, bodies[sent.path][0], {"content-type": "image/webp"})

    with studio(bench, host, lambda url: [url + path for path in bodies]) as scene:
        saved = _save(scene)
        if isinstance(saved, Exception):
            raise Violation(f"three pictures gave {saved!r}", rule="FILE-TYPE")
        found = [(path.read_bytes(), path.suffix) for path in saved]
        if found != list(bodies.values()):
            raise Violation(f"files {[path.name for path in saved]} are not what the bytes say", rule="FILE-TYPE")
        if _files(scene) != sorted(saved):
            raise Violation(f"other files are left: {_files(scene)}", rule="FILE-WHOLE")


@check("FILE-WHOLE")
def a_file_is_whole_or_not_there(bench: Bench) -> None:
    """While a picture comes in, its name is not taken; what is cut, no picture or too large leaves no file."""
    seen: list[str] = []

    def look() -> None:
        seen.extend(path.name for path in _files(scene) if path.suffix in (".png", ".jpg", ".webp", ".bin"))

    whole = Answer(200, png(64, 64), {"content-type": "image/png"}, midway=look)
    with studio(bench, whole, lambda host: [f"{host}/1.png"]) as scene:
        saved = _save(scene)
        if isinstance(saved, Exception) or seen:
            raise Violation(f"while it came in, {seen} was there; it gave {saved!r}", rule="FILE-WHOLE")
    body, kind = png(64, 64), {"content-type": "image/png"}
    for name, answer in {
        "a cut picture": Answer(200, body[:-20], {**kind, "content-length": str(len(body))}),
        "a picture cut before its end mark": Answer(200, body[:-20], kind),
        "an error page": Answer(200, b"<html>gone</html>", kind),
        "nothing": Answer(200, b"", kind),
        "a refusal": Answer(403, b"<Error/>"),
        "a server error": Answer(500),
    }.items():
        with studio(bench, answer, lambda host: [f"{host}/1.png"]) as scene:
            saved = _save(scene)
            if not isinstance(saved, errors.DownloadError):
                raise Violation(f"{name} gave {saved!r}, not a DownloadError", rule="FILE-WHOLE")
            if _files(scene):
                raise Violation(f"{name} left {[path.name for path in _files(scene)]}", rule="FILE-WHOLE")


@check("FILE-WHOLE")
def missing_pictures_are_told(bench: Bench) -> None:
    """Fewer URLs than were paid for, or one that fails: an error that names what is there and what is not."""
    with studio(bench, picture(), lambda host: [f"{host}/1", f"{host}/2"]) as scene:
        saved = _save(scene, images=3)
        if not isinstance(saved, errors.DownloadError) or sorted(saved.files) != [0, 1] or sorted(saved.errors) != [2]:
            raise Violation(f"two pictures of three gave {saved!r}", rule="PAY-KNOWN")

    def host(sent: Sent) -> Answer:
        return Answer(500) if sent.path == "/2" else picture()

    with studio(bench, host, lambda url: [f"{url}/1", f"{url}/2", f"{url}/3"]) as scene:
        saved = _save(scene, images=3)
        if not isinstance(saved, errors.DownloadError) or sorted(saved.files) != [0, 2] or len(_files(scene)) != 2:  # noqa: PLR2004 -- the good ones
            raise Violation(f"a broken picture of three gave {saved!r}", rule="PAY-KNOWN")


@check("URL-SAFE")
def only_web_addresses_are_fetched(bench: Bench) -> None:
    """Files of this machine and other schemes are never read, whatever a server or a redirect says."""
    with studio(bench, Answer(302, headers={"location": "file:///etc/hostname"}),
                lambda host: [f"{host}/1"]) as scene:  # fmt: skip
        _nothing(scene, "a redirect to file:")
    for url in (
        "file:///etc/hostname",
        "ftp://127.0.0.1/1.png",
        "/etc/hostname",
        "data:image/png;base64,iVBORw0KGgo=",
        "",
    ):
        with studio(bench, picture(), [url]) as scene:
            _nothing(scene, repr(url))


def _nothing(scene: Studio, what: str) -> None:
    saved = _save(scene)
    if not isinstance(saved, errors.SeeDreamError) or _files(scene):
        raise Violation(f"{what} gave {saved!r}", rule="URL-SAFE")


@check("FILE-PLACE")
def a_task_id_is_no_path(bench: Bench) -> None:
    """Pictures of a task whose id looks like a path stay in the directory that was named."""
    odd = ["../escape", "../../escape", "/escape", "a/../../b", "..", "con.", "x" * 5000, "\0", "图", "a\nb"]
    for taskid in odd:
        with studio(bench, picture(), lambda host: [f"{host}/1"], taskid=taskid) as scene:
            inner = scene.directory / "inner"
            try:
                saved = scene.client.task(taskid).save(inner)
            except errors.SeeDreamError:
                saved = []  # refusing such an id is as good
            if {path.resolve().parent for path in saved} - {inner.resolve()} or _files(scene) != saved:
                raise Violation(f"task id {taskid[:40]!r} wrote {saved} and {_files(scene)}", rule="FILE-PLACE")
