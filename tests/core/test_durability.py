"""Files are on the disk before they get their names, and addresses inside other addresses count as what they are."""

# ruff: noqa: E501, S104 -- tables of addresses, which are compared, not bound

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from seedream._files.atomic_file import atomic_write
from seedream._files.partial_file import MemoryFile, PartialFile
from seedream._support.addresses import is_loopback, is_private, is_public_address
from support.pictures import picture


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was synced and renamed, in order. Bytes that are still in a buffer are not among those of a synced file."""
    done: list[str] = []
    sync, replace = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        name = Path(f"/proc/self/fd/{descriptor}").readlink()
        size = os.fstat(descriptor).st_size
        done.append("sync directory" if name.is_dir() else f"sync file of {size} bytes")
        sync(descriptor)

    def renamed(self: Path, target: Any) -> Path:
        done.append(f"rename to {Path(target).suffix}")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", renamed)
    return done


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="names of descriptors are read from /proc")
def test_a_picture_is_synced_before_it_is_renamed_and_its_directory_after(tmp_path: Path, steps: list[str]) -> None:
    part = PartialFile(tmp_path, "lighthouse")
    part.write(picture())
    assert part.finish().read_bytes() == picture()
    assert steps == [f"sync file of {len(picture())} bytes", "rename to .png", "sync directory"]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="names of descriptors are read from /proc")
def test_a_replaced_file_is_synced_before_it_is_renamed(tmp_path: Path, steps: list[str]) -> None:
    target = tmp_path / "results.jsonl"
    target.write_text("old")
    with atomic_write(target) as file:
        file.write(b"new")
        assert target.read_text() == "old", "nobody sees a part of the new file"
    assert target.read_text() == "new"
    assert steps == ["sync file of 3 bytes", "rename to .jsonl"]


@pytest.mark.parametrize("hashed", [True, False])
def test_a_transfer_that_begins_again_keeps_nothing_of_the_dropped_bytes(tmp_path: Path, *, hashed: bool) -> None:
    whole = picture()
    part, memory = PartialFile(tmp_path, "lighthouse", hashed), MemoryFile()
    for target in (part, memory):
        target.write(b"dropped" * 1000)
        target.restart()
        assert (target.size, target.head, target.kind()) == (0, b"", None)
        target.write(whole[:10], whole[10:])
        assert (target.size, target.is_whole()) == (len(whole), True)
    assert part.sha256 == (hashlib.sha256(whole).hexdigest() if hashed else "")
    assert part.finish().read_bytes() == memory.finish() == whole


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "results.jsonl"
    target.write_text("old")
    with pytest.raises(TypeError), atomic_write(target) as file:
        file.write("a text where bytes belong")  # type: ignore[call-overload]  # the fault
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["results.jsonl"]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.0.0.1%lo", "127.255.255.254", "::1", "::ffff:127.0.0.1", "::FFFF:7f00:1", "::ffff:127.0.0.1%eth0", "64:ff9b::7f00:1",
        "64:ff9b::127.0.0.1", "2002:7f00:1::", "2002:7f00:0001::1", "::127.0.0.1", "::ffff:0:7f00:1", "::ffff:0:127.0.0.1%eth0", "localhost", "LOCALHOST.", "a.localhost",
    ],
)  # fmt: skip
def test_this_machine_is_recognised_in_every_spelling(host: str) -> None:
    assert (is_loopback(host), is_private(host), is_public_address(host)) == (True, True, False)


@pytest.mark.parametrize(
    "host",
    [
        "10.0.0.1", "10.0.0.1%eth0", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "255.255.255.255",
        "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:192.168.0.1", "64:ff9b::a00:1", "64:ff9b::169.254.169.254",
        "2002:a00:1::", "2002:a9fe:a9fe::", "::10.0.0.1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "::", "224.0.0.1", "ff0e::1",
        "64:ff9b:1::7f00:1", "64:ff9b:1::a00:1", "64:ff9b:1::5db8:d70e", "64:ff9b:1:7f00:0:100::", "64:ff9b:1:ffff:ffff::",
        "::ffff:0:a00:1", "::ffff:0:169.254.169.254", "2001:0:7f00:1::", "2001:0:5db8:d70e::1", "2002:c0a8:1::", "fec0::1",
    ],
)  # fmt: skip
def test_private_addresses_are_recognised_inside_others(host: str) -> None:
    assert (is_loopback(host), is_private(host), is_public_address(host)) == (False, True, False)


@pytest.mark.parametrize(
    "host",
    [
        "93.184.215.14",
        "2606:2800:21f::1",
        "::ffff:93.184.215.14",
        "64:ff9b::5db8:d70e",
        "64:ff9b:2::7f00:1",
        "::ffff:0:5db8:d70e",
        "2002:5db8:d70e::",
    ],
)
def test_public_addresses_are_public(host: str) -> None:
    assert (is_loopback(host), is_private(host), is_public_address(host)) == (False, False, True)


@pytest.mark.parametrize(
    "host", ["", "cdn.example", "/run/socket", "(unknown)", "1.2.3", "0x5db8d70e", "93.184.215.14:443"]
)
def test_what_is_no_address_is_not_a_public_one(host: str) -> None:
    # A peer whose address is not known is refused like one in a private network.
    assert is_public_address(host) is False


@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_partial_file_opens_nothing_that_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    # The name cannot be guessed; should it be taken all the same, what has it is not overwritten, nor what it leads to.
    monkeypatch.setattr("secrets.token_hex", lambda length: "00" * length)
    victim = tmp_path / "victim"
    victim.write_bytes(b"kept")
    taken = tmp_path / f".a.{'00' * 8}.part"
    if kind == "file":
        victim.rename(taken)
    else:
        taken.symlink_to(victim)
    with pytest.raises(FileExistsError):
        PartialFile(tmp_path, "a")
    assert taken.read_bytes() == b"kept"
