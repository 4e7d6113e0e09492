"""Files: replaced as a whole, written beside their place, and never opened where something else is in the way."""

# ruff: noqa: E501 -- tables read best with one case a line

import errno
import hashlib
import os
import socket
import stat
from collections.abc import Iterator
from itertools import cycle, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seedream import ConfigError, InvalidRequest
from seedream._files import partial_file
from seedream._files.atomic_file import atomic_write
from seedream._files.image_formats import HEAD
from seedream._files.names import check_template, file_stem
from seedream._files.partial_file import MemoryFile, PartialFile, ensure_writable, find_complete, whole_format
from seedream._files.paths import folder_path, open_regular
from support.pictures import picture
from tensorslab_images.methods import DEFAULT_NAME_TEMPLATE

PNG = picture()


@pytest.fixture(autouse=True)
def _no_file_stays_open() -> Iterator[None]:
    before = set(Path("/proc/self/fd").iterdir()) if Path("/proc/self/fd").exists() else set()
    yield
    after = set(Path("/proc/self/fd").iterdir()) if before else set()
    assert len(after) <= len(before)


def names_in(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def _no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


# --- files that are replaced as a whole --------------------------------------------------------------------------------
@pytest.mark.usefixtures("_no_umask")
@pytest.mark.parametrize(("given_mode", "expected"), [({}, 0o600), ({"mode": 0o644}, 0o644)])
def test_a_new_file_is_readable_by_its_owner_only_unless_asked(
    tmp_path: Path, given_mode: dict[str, int], expected: int
) -> None:
    target = tmp_path / "state.json"
    with atomic_write(target, **given_mode) as file:
        (temporary,) = tmp_path.iterdir()
        assert temporary.name.startswith(".state.json.")
        assert temporary.name.endswith(".new")
        assert mode(temporary) == expected
        file.write(b"new")
    assert (target.read_bytes(), mode(target), names_in(tmp_path)) == (b"new", expected, ["state.json"])


@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_temporary_file_opens_nothing_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda length: "00" * length)
    victim, taken = tmp_path / "victim", tmp_path / f".a.{'00' * 8}.new"
    victim.write_bytes(b"kept")
    if kind == "file":
        victim.rename(taken)
    else:
        taken.symlink_to(victim)
    with pytest.raises(FileExistsError), atomic_write(tmp_path / "a"):
        pytest.fail("it was opened")
    assert taken.read_bytes() == b"kept"
    assert not (tmp_path / "a").exists()


def test_a_link_is_replaced_and_what_it_leads_to_is_kept(tmp_path: Path) -> None:
    (tmp_path / "victim").write_bytes(b"kept")
    (tmp_path / "a").symlink_to(tmp_path / "victim")
    with atomic_write(tmp_path / "a") as file:
        file.write(b"new")
    assert not (tmp_path / "a").is_symlink()
    assert ((tmp_path / "a").read_bytes(), (tmp_path / "victim").read_bytes()) == (b"new", b"kept")


def test_what_cannot_be_renamed_leaves_no_temporary_file(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError), atomic_write(tmp_path / "a") as file:
        file.write(b"new")
    assert names_in(tmp_path) == ["a"]


# --- pictures being received -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["partial", "memory"])
def test_what_was_received_is_counted_and_its_start_kept(tmp_path: Path, kind: str) -> None:
    target: Any = PartialFile(tmp_path, "a", hashed=True) if kind == "partial" else MemoryFile()
    assert (target.size, target.head, target.etag, target.kind(), target.is_whole()) == (0, b"", "", None, False)
    chunks = [PNG[:20], PNG[20:50], b"", PNG[50:]]
    for number in range(1, len(chunks) + 1):
        target.write(chunks[number - 1])
        so_far = b"".join(chunks[:number])
        assert (target.size, target.head) == (len(so_far), so_far[:HEAD])
    assert (target.kind().format, target.is_whole()) == ("png", True)
    if kind == "partial":
        assert target.sha256 == hashlib.sha256(PNG).hexdigest()
    target.restart()
    assert (target.size, target.head, target.is_whole()) == (0, b"", False)
    target.write(b"short")
    if kind == "partial":
        assert target.sha256 == hashlib.sha256(b"short").hexdigest()
        assert target.finish() == tmp_path / "a.bin", "bytes of no picture"
        assert (tmp_path / "a.bin").read_bytes() == b"short"
        target.discard()
    else:
        assert target.finish() == b"short"


@pytest.mark.parametrize("takes", [[1], [7], [30], [31, 3], [0, 40, 0], [10**6]], ids=repr)
@pytest.mark.parametrize("cuts", [[], [30], [30, 30, 37]], ids=repr)
def test_a_write_that_takes_only_a_part_goes_on_with_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, takes: list[int], cuts: list[int]
) -> None:
    # Rule FILE-WHOLE: after each write, what is still to be written is exactly what is not yet in the file.
    part, counts = PartialFile(tmp_path, "a", hashed=True), cycle(takes)

    def write_some(fd: int, chunks: list[memoryview]) -> int:
        assert all(chunks), "of nothing, nothing is written: that would go on for ever"
        assert b"".join(chunks) == PNG[os.lseek(fd, 0, os.SEEK_CUR) :]
        return os.write(fd, b"".join(chunks)[: next(counts)])

    monkeypatch.setattr(partial_file, "_write_some", write_some)
    part.write(*(PNG[start:end] for start, end in pairwise([0, *cuts, len(PNG)])))
    assert (part.size, part.sha256) == (len(PNG), hashlib.sha256(PNG).hexdigest())
    assert part.finish(tmp_path / "b.dat").read_bytes() == PNG
    assert names_in(tmp_path) == ["b.dat"]


@pytest.mark.parametrize("single", [False, True], ids=["many chunks a call", "one chunk a call"])
def test_no_call_takes_more_chunks_than_a_system_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, single: bool
) -> None:
    part, asked = PartialFile(tmp_path, "a"), list[int]()
    write = partial_file._write_one if single else partial_file._write_some

    def write_some(fd: int, chunks: list[memoryview]) -> int:
        asked.append(len(chunks))
        return write(fd, chunks)

    monkeypatch.setattr(partial_file, "_write_some", write_some)
    chunks = [bytes([number]) * (number + 1) for number in range(130)]
    part.write(*chunks)
    assert asked == ([64] * 67 + list(range(63, 0, -1)) if single else [64, 64, 2])
    assert part.finish(tmp_path / "b.dat").read_bytes() == b"".join(chunks)


def test_a_hash_is_not_computed_unless_wanted(tmp_path: Path) -> None:
    part = PartialFile(tmp_path, "a")
    part.write(PNG)
    assert part.sha256 == ""
    part.discard()


@pytest.mark.parametrize("fails", ["fsync", "replace"])
def test_a_picture_that_does_not_reach_the_disk_gets_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    part = PartialFile(tmp_path, "a")
    part.write(PNG)

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os if fails == "fsync" else Path, fails, fail)
    with pytest.raises(OSError, match="broken"):
        part.finish()
    assert [path.suffix for path in tmp_path.iterdir()] == [".part"]
    part.discard()
    assert names_in(tmp_path) == []


def test_the_directory_of_a_partial_file_is_made(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    for stem in ("1", "2"):
        PartialFile(deep, stem).discard()
    assert names_in(deep) == []


# --- what is there already ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("extension", ["png", "jpg", "webp", "gif", "bmp", "tif", "avif"])
def test_a_picture_of_each_format_is_found_again(tmp_path: Path, extension: str) -> None:
    kind = {"jpg": "JPEG", "tif": "TIFF"}.get(extension, extension)
    (tmp_path / f"a.{extension}").write_bytes(picture(kind))
    assert find_complete(tmp_path, "a") == tmp_path / f"a.{extension}"
    assert whole_format(tmp_path / f"a.{extension}") == extension


def test_what_is_no_file_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(PNG)
    (tmp_path / "empty").touch()
    (tmp_path / "directory").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "file")
    (tmp_path / "nowhere").symlink_to(tmp_path / "nothing")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        names = ["empty", "directory", "link", "nowhere", "socket", "nothing", "file/inside"]
        assert [whole_format(tmp_path / name) for name in names] == [None] * len(names)


@pytest.mark.parametrize(
    ("code", "link", "raised"),
    [(errno.ENOENT, False, False), (errno.ENOTDIR, False, False), (errno.EISDIR, False, False), (errno.ELOOP, False, False),
     (errno.ENXIO, False, False), (errno.EACCES, False, True), (errno.EMFILE, False, True), (errno.EIO, False, True),
     (errno.EACCES, True, False)],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_not_taken_for_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, link: bool, raised: bool
) -> None:
    # Else it would be paid for, or downloaded, again. Systems report a link that is not followed in several ways.
    path = tmp_path / "a.png"
    path.symlink_to("nothing") if link else path.write_bytes(PNG)

    def fail(*_: object) -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "open", fail)
    if raised:
        with pytest.raises(OSError, match=os.strerror(code)):
            whole_format(path)
    else:
        assert whole_format(path) is None


def test_a_directory_that_can_be_written_is_made_and_left_empty(tmp_path: Path) -> None:
    for directory in (tmp_path, tmp_path / "a" / "b"):
        assert ensure_writable(directory) == directory
    assert (names_in(tmp_path), names_in(tmp_path / "a" / "b")) == (["a"], [])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("file", "it is a file"),
        ("file/sub", "Not a directory"),
        ("link", "it is a link that leads nowhere"),
        ("nul\0", "embedded null"),
    ],
)
def test_a_directory_that_cannot_be_written_says_why(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    with pytest.raises(ConfigError) as caught:
        ensure_writable(tmp_path / name)
    assert caught.value.message.startswith("cannot write in “")
    assert f"”: {reason}" in caught.value.message
    assert caught.value.hint == "Choose another directory; nothing was sent."


def test_a_directory_without_the_right_to_write_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **options: object) -> None:
        assert options == {"exist_ok": False}
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "touch", fail)
    with pytest.raises(ConfigError, match="”: Permission denied"):
        ensure_writable(tmp_path)


# --- paths -------------------------------------------------------------------------------------------------------------
def test_a_folder_is_a_path_of_any_kind() -> None:
    for given_path in ("a/b", Path("a/b"), os.fspath(Path("a/b"))):
        assert folder_path(given_path) == Path("a/b")
    assert folder_path(os.fsdecode(b"a\xff")) == Path("a\udcff"), "a name that is not UTF-8 can be a folder's"


@pytest.mark.parametrize("given_path", ["a\0b", "a\ud800"])
def test_a_path_that_no_folder_can_have_is_refused(given_path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        folder_path(given_path)
    shown = given_path.encode("unicode_escape").decode()
    assert caught.value.message == f"cannot write in “{shown}”: it cannot be a path"
    assert caught.value.hint == "Choose another directory; nothing was sent."


@pytest.mark.parametrize("given_path", [5, None, b"a", ["a"]])
def test_what_is_not_text_is_no_path(given_path: Any) -> None:
    with pytest.raises(TypeError):
        folder_path(given_path)


def test_only_a_regular_file_is_opened(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(PNG)
    (tmp_path / "link").symlink_to(tmp_path / "file")
    os.mkfifo(tmp_path / "pipe")
    for name in ("file", "link"):
        descriptor = open_regular(tmp_path / name)
        assert os.read(descriptor, len(PNG)) == PNG
        with pytest.raises(OSError):
            os.write(descriptor, b"x")
        os.close(descriptor)
    for name, reason in {"pipe": "it is not a regular file", ".": "it is a directory", "none": "No such file"}.items():
        with pytest.raises(OSError, match=reason):
            open_regular(tmp_path / name)


# --- names -------------------------------------------------------------------------------------------------------------
def test_a_name_is_made_of_the_task_and_the_number() -> None:
    assert check_template(DEFAULT_NAME_TEMPLATE) == DEFAULT_NAME_TEMPLATE
    assert file_stem(DEFAULT_NAME_TEMPLATE, "t1", 0, 3) == "t1-1"
    every = check_template("{taskid}_{number:02}_{index}_{total}")
    assert file_stem(every, "t1", 8, 12) == "t1_09_8_12"
    assert file_stem(every, "../x", 0, 1).startswith("task-"), "an id makes no path"


@pytest.mark.parametrize(
    "template",
    ["{number}", "{index}", "a {number}", "(a)=+,@#-{number}", "鱼{number}", "_{number}", "{taskid:.5}-{number}",
     "{number:099}", "{number:x}", "{taskid}{taskid}-{number}"],
)  # fmt: skip
def test_a_template_of_plain_distinct_names_is_taken(template: str) -> None:
    assert check_template(template) == template


@pytest.mark.parametrize("width", ["100", "0100", "999", ">100", "{total}", "9999999999", "+,100", "x<{index}"])
def test_a_great_width_is_refused_without_making_the_name(monkeypatch: pytest.MonkeyPatch, width: str) -> None:
    # A name of a gigabyte would be made only to be refused.
    monkeypatch.setattr("seedream._files.names.file_stem", lambda *_: pytest.fail("it was made"))
    with pytest.raises(InvalidRequest, match="too long") as caught:
        check_template(f"{{taskid}}-{{number:{width}}}")
    assert caught.value.hint == "Use less text, and widths below 100."


@pytest.mark.parametrize(
    ("text", "fits"), [("x" * 216, True), ("x" * 217, False), ("鱼" * 72, True), ("鱼" * 73, False)]
)
def test_a_name_fits_into_a_file_system_with_what_is_added_while_it_is_written(
    tmp_path: Path, text: str, fits: bool
) -> None:
    # 255 bytes: a temporary file adds a point in front, and 22 bytes behind.
    template = text + "{number}"
    if not fits:
        with pytest.raises(InvalidRequest, match="too long"):
            check_template(template)
        return
    part = PartialFile(tmp_path, file_stem(check_template(template), "t1", 999, 1000))
    part.write(PNG)
    assert part.finish().suffix == ".png"


@pytest.mark.parametrize(
    "template", [" {number}", ".{number}", "{number}\n", "{number}:", "{number}*", "{number}~", "{number}\u202e", "-\t{number}", "{number}|"]
)  # fmt: skip
def test_a_template_with_other_signs_is_refused(template: str) -> None:
    with pytest.raises(InvalidRequest, match="does not give a plain file name") as caught:
        check_template(template)
    assert caught.value.hint == "Leave out path separators and signs."


@given(st.text(max_size=30) | st.text("{}:!.[]0123456789numbertaskid<>=+-_, xcdrs\0/\\", max_size=30))
def test_whatever_a_template_holds_it_names_files_or_is_refused(template: str) -> None:
    try:
        names = check_template(template)
    except InvalidRequest:
        return
    for taskid in ("t1", "../x", "x" * 80):
        every = [file_stem(names, taskid, index, 120) for index in range(120)]
        assert len(set(every)) == 120
        assert [] == [sign for sign in "/\\\0:" if sign in "".join(every)]


@pytest.mark.parametrize(
    "template",
    ["{taskid}-{number!s:.1}", "p{number!s:.1}", "{index!s:.2}", "{number!r:.2}", "{number!s:.1}{total}", "p{number:.1g}",
     "{number:.0e}x", "{index:.2g}", "{number:0<3}", "{number:1<4}", "{number:0<2}-{taskid}", "{number!s:1<3}"],
)  # fmt: skip
def test_a_template_that_gives_two_of_many_pictures_one_name_is_refused(template: str) -> None:
    with pytest.raises(InvalidRequest, match="gives several pictures of a task one name") as caught:
        check_template(template)
    assert caught.value.hint == "Use {number} as it is."
