"""The tree on disk: reproducible, offline, replaced whole or not at all, and guarded against hand edits."""

import hashlib
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import pytest
from page_edits import PAGE, REPOSITORY, YAML, RepositoryCopy, replaced
from pipeline import tree
from pipeline.errors import BrokenInputs, Different
from pipeline.generate import verify

WIDER = replaced(("maximum: 15", "maximum: 20"))


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("the pipeline must not use the network")

    for name in ("connect", "connect_ex", "sendto", "bind"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.usefixtures("no_network")
def test_two_runs_give_the_same_bytes_offline(repository: RepositoryCopy, tmp_path: Path) -> None:
    other = RepositoryCopy.copied(repository.root, tmp_path / "elsewhere" / "with a longer name")
    for each in (repository, other):
        assert each.take(WIDER).code == 0
    assert repository.files() == other.files()


# Another process, hash seed, time zone, locale and folder make no difference either.
def test_another_process_gives_the_same_bytes(repository: RepositoryCopy, tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(REPOSITORY / "openapi"),
        "PYTHONHASHSEED": "4711",
        "LC_ALL": "C",
        "TZ": "Asia/Shanghai",
    }
    (repository.root / "generated/tensorslab_images/limits.py").unlink()
    command = [sys.executable, "-m", "pipeline", "--root", str(repository.root), "generate"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    verify(repository.root)


# The committed tree of this repository is what its inputs make; the vendored YAML is what SOURCE.toml names.
def test_the_repository_itself() -> None:
    repository = RepositoryCopy(REPOSITORY)
    assert verify(repository.root)


def test_source_names_the_bytes_of_the_page(repository: RepositoryCopy) -> None:
    origin = repository.read("openapi/SOURCE.toml")
    assert f'page_sha256 = "{hashlib.sha256(PAGE).hexdigest()}"' in origin
    assert f'yaml_sha256 = "{hashlib.sha256(YAML).hexdigest()}"' in origin


HAND_EDITS: dict[str, Any] = {
    "a changed file": lambda root: _append(root / "generated/tensorslab_images/limits.py"),
    "a changed cover file": lambda root: _append(root / "generated/openapi.yaml"),
    "a changed lock": lambda root: _append(root / "generated/generate.lock"),
    "a missing file": lambda root: (root / "generated/tensorslab_images/py.typed").unlink(),
    "an extra file": lambda root: (root / "generated/tensorslab_images/extra.py").write_text("x = 1\n"),
    "an extra folder": lambda root: _file(root / "generated/stale/deep/x.txt"),
}


def _append(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


def _file(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("x")


@pytest.mark.parametrize("name", HAND_EDITS)
def test_hand_edits_of_generated_code_are_found_and_undone(name: str, repository: RepositoryCopy) -> None:
    before = repository.files()
    HAND_EDITS[name](repository.root)
    with pytest.raises(Different, match=r"missing|extra|different"):
        verify(repository.root)
    assert repository.take().code == 0
    assert repository.files() == before
    verify(repository.root)


def test_hand_edit_of_the_vendored_yaml_is_found(repository: RepositoryCopy) -> None:
    _append(repository.root / "openapi/seedreamv45.yaml")
    with pytest.raises(BrokenInputs, match="was edited by hand"):
        verify(repository.root)
    assert repository.take(WIDER).code == 5


def test_an_edited_overlay_or_ledger_is_found(repository: RepositoryCopy) -> None:
    repository.edit("openapi/rules.yaml", "summary: A prompt is required.", "summary: A prompt is needed.")
    with pytest.raises(Different, match=r"different: generated/tensorslab_images/rules\.py"):
        verify(repository.root)
    repository.edit("openapi/rules.yaml", "zh: 提示词（必填）", "zh: 提示词（选填）")
    with pytest.raises(Different, match="PROMPT-REQUIRED"):
        verify(repository.root)


class Crash(BaseException):
    """Stands for a kill: nothing catches it."""


# Interrupted at any file operation, the tree is the old one, or the next run ends the work; no mixture ever passes.
def test_interrupted_anywhere(repository: RepositoryCopy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    done = RepositoryCopy.copied(repository.root, tmp_path / "done")
    done.take(WIDER)
    old, new = repository.files(), done.files()
    steps = _crash_after(repository, monkeypatch, 10_000)
    assert repository.files() == new
    outcomes = set()
    for step in range(1, steps + 1):
        each = _fresh(old, tmp_path / f"s{step}")
        _crash_after(each, monkeypatch, step)
        if tree.STAGE in {name.split("/")[0] for name in each.files()}:
            with pytest.raises(Different, match="cut short"):
                verify(each.root)
        ended = tree.recover(each.root)
        assert each.files() == (new if ended or each.files() == new else old)
        outcomes.add(ended)
        verify(each.root)
    assert outcomes == {True, False}


FOLDER_NAMES = ["new", "READY", "mark", "deep/er/READY"]  # as files of the tree may be called too


@pytest.mark.parametrize("name", FOLDER_NAMES)
@pytest.mark.parametrize("cut", [0, 1, 0.5, -1])
def test_a_crash_in_the_middle_of_a_write_loses_nothing(tmp_path: Path, name: str, cut: float) -> None:
    """At each write, the crash comes after a part of the bytes: before the mark is whole, nothing has changed."""
    old = {"owned/kept": b"as before", "owned/gone": b"1", "owned/gone too/x": b"2", f"owned/{name}": b"old"}
    new = {"owned/kept": b"as before", f"owned/{name}": b"new", "owned/more/y": b"more", "beside": b"aside"}
    ends = []
    for write in range(1, 100):
        root = tmp_path / str(write)
        for file, data in old.items():
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            (root / file).write_bytes(data)
        count = _crash_in_write(root, new, write, cut)
        ended = tree.recover(root)
        files = tree.read_tree(root)
        assert files == (new if ended or count < write else old), f"a crash in write {write} of {count}"
        assert not tree.recover(root), "nothing is left to be ended"
        tree.replace(root, new, "owned")
        assert tree.read_tree(root) == new, "the next run ends the work"
        ends.append(ended)
        if count < write:
            break
    assert len(ends) == 5, "two files that are new, one that changed, the mark, and a run that met no crash"


def _crash_in_write(root: Path, files: dict[str, bytes], number: int, cut: float) -> int:
    """Replace the tree; that write crashes after a part of its bytes. Gives how many writes there were."""
    count = 0
    real = tree._write

    def write(path: Path, data: bytes) -> None:
        nonlocal count
        count += 1
        if count == number:
            size = int(len(data) * cut) if 0 < cut < 1 else int(cut)
            path.write_bytes(data[:size])
            raise Crash
        real(path, data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tree, "_write", write)
        try:
            tree.replace(root, files, "owned")
        except Crash:
            return count
    return count


# A file without its end is never seen under the name by which it counts: it is synced, then renamed.
def test_the_mark_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    fsync, rename, write = os.fsync, Path.replace, tree._write

    def synced(fd: int) -> None:
        done.append("synced")
        fsync(fd)

    def written(path: Path, data: bytes) -> None:
        done.append(f"write {path.name}")
        write(path, data)

    def renamed(path: Path, target: Path) -> Path:
        done.append(f"{path.name} -> {Path(target).name}")
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(tree, "_write", written)
    monkeypatch.setattr(Path, "replace", renamed)
    (tmp_path / "owned").mkdir()
    (tmp_path / "owned" / "gone").write_bytes(b"1")
    tree.replace(tmp_path, {"owned/a": b"a"}, "owned")
    assert done == ["write a", "synced", "write mark", "synced", f"mark -> {tree.READY}", "a -> a"]


def _fresh(files: dict[str, bytes], root: Path) -> RepositoryCopy:
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return RepositoryCopy(root)


def _crash_after(repository: RepositoryCopy, monkeypatch: pytest.MonkeyPatch, steps: int) -> int:
    """One run that crashes at that file operation; returns how many there were."""
    count = 0

    def counted(real: Any) -> Any:
        def call(self: Path, *args: Any, **kwargs: Any) -> Any:
            nonlocal count
            if repository.root in self.parents and "build" not in self.parts:
                count += 1
                if count >= steps:
                    raise Crash
            return real(self, *args, **kwargs)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", counted(Path.replace))
        patch.setattr(Path, "unlink", counted(Path.unlink))
        patch.setattr(Path, "mkdir", counted(Path.mkdir))
        try:
            repository.take(WIDER)
        except Crash:
            return count
    return count


def test_files_that_are_right_are_not_touched(repository: RepositoryCopy) -> None:
    path = repository.root / "generated/tensorslab_images/types.py"
    os.utime(path, (1, 1))
    assert repository.take(WIDER).code == 0
    assert path.stat().st_mtime == 1


def test_stale_files_go_with_an_update(repository: RepositoryCopy) -> None:
    assert repository.take(replaced(("operationId: seeDreamV45", "operationId: paint")), accept=True).code == 0
    assert not (repository.root / "generated/tensorslab_images/api/images/see_dream_v45.py").exists()
    assert (repository.root / "generated/tensorslab_images/api/images/paint.py").exists()


# Without a new page nothing stops: the maintainer's own edits are reported and done.
def test_own_edits_are_reported(repository: RepositoryCopy) -> None:
    repository.edit(
        "openapi/overlay.yaml", "taskid: {type: string, minLength: 1,", "taskid: {type: string, minLength: 3,"
    )
    ended = repository.take()
    assert ended.code == 0, ended.text
    assert "infoByTaskId request taskid/minLength 1 -> 3" in ended.text
    assert "min_length=3" in repository.read("generated/tensorslab_images/limits.py")


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("openapi/overlay.yaml", "x-rule: [TASK-ID]", "x-rule: [NO-SUCH]", "rests on NO-SUCH"),
        ("openapi/overlay.yaml", "overlay: 1.1.0", "overlay: 2.0.0", "not an Overlay 1.0 or 1.1"),
        ("openapi/generator.yaml", "package:", "packages:", "unknown key"),
        ("openapi/SOURCE.toml", "language = ", "tongue = ", "must hold these texts"),
        ("openapi/rules.yaml", "minimum: 3686400", "minimum: 3686401", "does not hold the fact 'minimum'"),
    ],
)
def test_wrong_inputs_of_our_own(name: str, old: str, new: str, words: str, repository: RepositoryCopy) -> None:
    repository.edit(name, old, new)
    ended = repository.take()
    assert (ended.code, ended.changed) == (5, False)
    assert words in ended.text


def test_first_page_of_a_new_house(repository: RepositoryCopy) -> None:
    whole = repository.files()
    for name in ("openapi/seedreamv45.yaml", "openapi/SOURCE.toml"):
        (repository.root / name).unlink()
    ended = repository.take()
    assert (ended.code, ended.changed) == (5, False)
    assert "nothing is vendored yet" in ended.text
    assert repository.take(PAGE, name='odd "name"\n\x7f.md').code == 0
    again = repository.files()
    assert {name for name in whole if whole[name] != again[name]} == {"openapi/SOURCE.toml", "generated/generate.lock"}
    assert verify(repository.root)


# Two runs at once on one tree wait for each other.
def test_runs_do_not_mix(repository: RepositoryCopy) -> None:
    pages = [replaced(("maximum: 15", f"maximum: {20 + number}")) for number in range(4)]
    paths = []
    for number, data in enumerate(pages):
        paths.append(repository.root / "build" / f"{number}.md")
        paths[-1].parent.mkdir(exist_ok=True)
        paths[-1].write_bytes(data)
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "openapi")}
    command = [sys.executable, "-m", "pipeline", "--root", str(repository.root), "generate", "--accept", "--spec"]
    runs = [subprocess.Popen([*command, str(path)], env=environment, stdout=subprocess.DEVNULL) for path in paths]
    assert [run.wait() for run in runs] == [0, 0, 0, 0]
    assert verify(repository.root)
