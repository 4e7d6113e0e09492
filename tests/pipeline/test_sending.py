"""The samples that are sent before anything is replaced: which values, what is compared, and what is said of a failure."""

# ruff: noqa: E501 -- tables read best with one case a line

import io
import json
import socket
import subprocess
import sys
from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from attrs import evolve
from PIL import Image
from pipeline import send_check
from pipeline.send_check import (
    TEXTS,
    NoSample,
    Samples,
    Unsendable,
    as_text,
    candidates,
    check_sending,
    fits,
    matching,
    message,
    numbers,
    picture,
    same,
    samples,
)
from tensorslab_images.limits import Field


def field(kind: str = "string", **more: Any) -> Field:
    return Field(**{"name": "a", "attribute": "a", **more, "kind": kind})


@pytest.mark.parametrize(
    ("one", "good", "bad"),
    [
        (field(enum=("a", "b")), ["a"], ["c"]), (field(min_length=2), ["ab"], ["a"]), (field(max_length=2), ["ab", ""], ["abc"]), (field(max_length=0), [""], ["a"]), (field(pattern="b"), ["abc"], ["ac"]), (field(pattern="b", max_length=1), ["b"], ["ab", "a"]),
        (field("integer", minimum=2), [2], [1]), (field("integer", maximum=2), [2], [3]), (field("integer", exclusive_minimum=2), [3], [2]), (field("integer", exclusive_maximum=2), [1], [2]), (field("number", multiple_of=0.1), [0.3], [0.35]), (field("boolean", minimum=5), [True, False], []),
        (field("integer", minimum=0, maximum=0), [0], [1, -1]),
    ],
)  # fmt: skip
def test_what_the_limits_allow(one: Field, good: list[Any], bad: list[Any]) -> None:
    assert [fits(one, value) for value in good + bad] == [True] * len(good) + [False] * len(bad)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (field("boolean"), [True, False]), (field("boolean", default=False), [False, True, False]), (field("object"), []), (field("integer"), [0, 1, -1, 1, -1, 0, 1, 1, 1, 0]), (field("integer", enum=(5,), default=7, minimum=3, multiple_of=2), [5, 7, 3, 4, 2, 5, 1, 2, 4, 2, 1, 0]),
        (field("integer", multiple_of=2.5), [0, 1, -1, 2, -2, 0, 2, 2, 1, 0]),
        (field(), [*TEXTS, "a"]), (field(min_length=3, enum=("x",), default="y"), ["x", "y", *TEXTS, "aaa"]), (field(min_length=0), [*TEXTS, "a"]), (field(min_length=99_999), [*TEXTS, "a" * 99_999]), (field(min_length=100_000), list(TEXTS)), (field(name="imageUrl"), [TEXTS[2], *TEXTS[:2], *TEXTS[3:], "a"]),
    ],
)  # fmt: skip
def test_which_values_are_tried(one: Field, expected: list[Any]) -> None:
    assert list(candidates(one)) == expected


def test_texts_of_a_pattern_are_tried_last_and_readable_ones_first() -> None:
    found = list(candidates(field(pattern="^[xy]{3}$")))
    assert found[: len(TEXTS) + 1] == [*TEXTS, "a"]
    assert found[len(TEXTS) + 1 :]
    texts = list(matching(r"^(abc|\x00|é|z)$"))
    assert texts == sorted(texts, key=lambda text: (not text.isprintable(), not text.isascii(), -len(text)))
    assert texts == list(matching(r"^(abc|\x00|é|z)$"))
    assert len(texts) <= 10


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (field("integer"), [0, 1, -1, 1, -1, 0, 1, 1, 1, 0]), (field("integer", minimum=5, maximum=9, multiple_of=3), [5, 6, 4, 8, 2, 3, 6, 3, 1, 0]), (field("integer", exclusive_minimum=5, maximum=9), [5, 6, 4, 6, 4, 5, 6, 1, 1, 0]),
        (field("integer", maximum=1e308, multiple_of=1e-200), [1e308, 1e308, 1e308, 1e308, 1e308, 1e-200, 1, 0]), (field("integer", maximum=9), [9, 10, 8, 10, 8, 9, 10, 1, 1, 0]), (field("integer", exclusive_maximum=9), [9, 10, 8, 10, 8, 9, 10, 1, 1, 0]), (field("integer", minimum=0, maximum=5), [0, 1, -1, 1, -1, 0, 1, 1, 1, 0]),
        (field("number", minimum=1, maximum=2), [1, 2, 0, 2, 0, 1, 2, 1, 1, 0, 1.5, 0.5, 1.001, 0.999, 1.5]), (field("number", exclusive_maximum=1), [1, 2, 0, 2, 0, 1, 2, 1, 1, 0, 1.5, 0.5, 1.001, 0.999, 1.0]), (field("number"), [0, 1, -1, 1, -1, 0, 1, 1, 1, 0, 0.5, -0.5, 0.001, -0.001, 0.0]),
    ],
)  # fmt: skip
def test_numbers_are_tried_near_the_bounds(one: Field, expected: list[Any]) -> None:
    assert numbers(one) == expected


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (field(), ["a fish"]), (field(many=True), ["a fish", "1"]), (field(many=True, max_items=1), ["a fish"]), (field(many=True, max_items=0), ["a fish"]), (field(many=True, min_items=4), ["a fish", "1", TEXTS[2], TEXTS[3]]), (field(many=True, enum=("x",)), ["x", "x"]),
        (field(many=True, enum=("x",), unique_items=True), ["x"]), (field("integer", minimum=5), [5]), (field("integer", minimum=0.5, maximum=1.5), [1]), (field("boolean", many=True, min_items=3), [True, False, True]), (field("binary"), [picture()]), (field("binary", many=True), [picture()] * 2), (field("binary", many=True, min_items=3), [picture()] * 3),
        (field(pattern="^[0-9]{4}-"), ["2030-01-02"]), (field(enum=("b", "a"), default="a"), ["b"]), (field("number", exclusive_minimum=0, exclusive_maximum=0.01), [0.001]),
    ],
)  # fmt: skip
def test_as_many_samples_are_taken_as_a_field_needs(one: Field, expected: list[Any]) -> None:
    assert samples(one) == expected


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (field("object"), "an object cannot be sent as the field of a form"), (field("integer", minimum=5, maximum=4), "no value was found that its limits allow"), (field(min_length=100_000), "no value was found that its limits allow"),
        (field(many=True, enum=("x",), unique_items=True, min_items=2), "not enough different values were found that its limits allow"),
    ],
)  # fmt: skip
def test_where_no_sample_is_found_the_reason_is_said(one: Field, said: str) -> None:
    with pytest.raises(NoSample) as caught:
        samples(one)
    assert str(caught.value) == said


def test_a_picture_is_a_small_png() -> None:
    with Image.open(io.BytesIO(picture())) as found:
        assert (found.format, found.size, found.mode, found.getpixel((0, 0))) == ("PNG", (64, 64), "RGB", (0, 0, 128))


def test_values_as_a_form_holds_them() -> None:
    assert [as_text(value) for value in (True, False, 1, 1.5, "True", "x")] == [
        "true",
        "false",
        "1",
        "1.5",
        "True",
        "x",
    ]
    assert [
        same(*pair)
        for pair in (("0", "0.0"), ("1e1", "10"), ("1", "2"), ("a", "a"), ("a", "b"), ("1", "a"), ("a", "1"))
    ] == [True, True, False, True, False, False, False]
    assert [
        message(text)
        for text in (
            '{"error": {"message": "m"}}',
            '{"error": "m"}',
            "[1]",
            "no json",
            "{}",
            '{"error": {"message": 5}}',
        )
    ] == ["m", '{"error": "m"}', "[1]", "no json", "{}", "5"]


# --- a client and a command line that send, and ones that do not


class World:
    """Stands for client, sandbox and command line: what is sent arrives, but for what a test takes away."""

    def __init__(self, *fields: Field) -> None:
        self.requests: list[Any] = []
        self.calls: list[tuple[str, ...]] = []
        self.lost: set[str] = set()
        self.refused: set[str] = set()
        self.unprinted: set[str] = set()
        self.code: Any = 0
        self.operation = SimpleNamespace(fields=fields, path="/submit")
        self.by_attribute = {one.attribute: one for one in fields}

    def submit(self, prompt: str, **arguments: Any) -> Any:
        given = {**({"prompt": prompt} if "prompt" in self.by_attribute else {}), **arguments}
        for name in self.refused & set(given):
            raise ValueError(f"no\n  {name} here")
        texts: dict[str, list[str]] = {}
        files: list[tuple[str, bytes]] = []
        for attribute, value in given.items():
            one = self.by_attribute[attribute]
            assert isinstance(value, list) == one.many
            for item in value if isinstance(value, list) else [value]:
                if one.name in self.lost:
                    continue
                if one.kind == "binary":
                    files.append((one.name, item))
                else:
                    texts.setdefault(one.name, []).append(as_text(item))
        self.calls.append(("submit", prompt, *sorted(arguments)))
        self.requests += [
            SimpleNamespace(path="/submit", fields=texts, files=files),
            SimpleNamespace(path="/query", fields={}, files=[]),
        ]
        return SimpleNamespace(id="t1")

    def query(self, taskid: str) -> None:
        self.calls.append(("query", taskid))

    def delete(self, taskid: str) -> None:
        self.calls.append(("delete", taskid))

    def command(self) -> object:
        self.calls.append(tuple(sys.argv))
        if isinstance(self.code, str):
            sys.stderr.write(self.code)
            raise SystemExit(7)
        if self.code:
            sys.stdout.write(json.dumps({"error": {"message": "out"}}))
            return self.code
        words = [word.removeprefix("--set=").partition("=") for word in sys.argv if word.startswith("--set=")]
        fields = [
            {"name": name, "value": value}
            for name, _, value in words
            if name not in self.unprinted and value != "sample.png"
        ]
        if "prompt" not in self.unprinted:
            fields.append({"name": "prompt", "value": sys.argv[2]})
        sys.stdout.write(json.dumps({"request": {"fields": fields}}))
        return None

    def sending(self) -> Samples:
        return Samples(self.operation, self, self, self.command)


PROMPT = field(name="prompt", attribute="prompt", required=True)
SEED, FAST = (
    field("integer", name="seed", attribute="seed_", minimum=3),
    field("boolean", name="fast", attribute="fast"),
)
FILES = field("binary", name="sourceImage", attribute="source_images", many=True)
MASK = field("binary", name="mask", attribute="mask_")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["pytest"])
    return World(PROMPT, SEED, FAST, FILES, MASK)


def command(*words: str) -> tuple[str, ...]:
    return ("seedream", "generate", "a fish", *words, "--dry-run", "--json")


def test_the_required_fields_are_sent_first_then_each_other_one_then_all(world: World, tmp_path: Path) -> None:
    sending = world.sending()
    sending.send_all()
    around = [("query", "t1"), ("delete", "t1")]
    image, mask = ("--image=sample.png",) * 2, "--set=mask=sample.png"
    assert (sending.problems, world.calls) == (
        [],
        [
            ("submit", "a fish"), *around, command(),
            ("submit", "a fish", "seed_"), *around, command("--set=seed=3"),
            ("submit", "a fish", "fast"), *around, command("--set=fast=true"),
            ("submit", "a fish", "source_images"), *around, command(*image),
            ("submit", "a fish", "mask_"), *around, command(mask),
            ("submit", "a fish", "fast", "mask_", "seed_", "source_images"), *around, command("--set=seed=3", "--set=fast=true", *image, mask),
        ],
    )  # fmt: skip
    assert (tmp_path / "sample.png").read_bytes() == picture()


def test_a_form_without_a_prompt_is_sent_too() -> None:
    world = World(SEED)
    sending = world.sending()
    sending.send_all()
    assert (sending.problems, world.calls[0], world.calls[3][:3]) == (
        [],
        ("submit", "a fish"),
        ("seedream", "generate", "a fish"),
    )


WRONG = field("integer", name="none", attribute="none", minimum=5, maximum=4)


@pytest.mark.parametrize(
    ("fields", "change", "problems"),
    [
        ([PROMPT, SEED], {"lost": {"seed"}}, [Unsendable("submit/request/seed", "[3] was given for seed, None arrived", optional=True)]), ([PROMPT, FILES], {"lost": {"sourceImage"}}, [Unsendable("submit/request/sourceImage", "2 files were given for sourceImage, 0 arrived", optional=True)]),
        ([PROMPT, SEED], {"refused": {"seed_"}}, [Unsendable("submit/request/seed", "ValueError: no seed_ here", optional=True)]), ([PROMPT, SEED], {"unprinted": {"seed"}}, [Unsendable("submit/request/seed", "the command line does not send seed=3", optional=True)]),
        ([PROMPT], {"unprinted": {"prompt"}}, [Unsendable("submit/request/prompt", "the command line does not send prompt=a fish", optional=False)]), ([PROMPT], {"code": 5}, [Unsendable("submit", "the command line ends with 5: out", optional=False)]),
        ([PROMPT], {"code": '{"error": {"message": "bad  one"}}'}, [Unsendable("submit", "the command line ends with 7: bad one", optional=False)]), ([PROMPT], {"code": "x" * 400}, [Unsendable("submit", f"the command line ends with 7: {'x' * 270}", optional=False)]),
        ([PROMPT, WRONG], {}, [Unsendable("submit/request/none", "no value was found that its limits allow", optional=True)]), ([PROMPT, evolve(WRONG, required=True)], {}, [Unsendable("submit/request/none", "no value was found that its limits allow", optional=False)]),
        ([PROMPT, evolve(SEED, required=True)], {"refused": {"seed_"}}, [Unsendable("submit/request/seed", "ValueError: no seed_ here", optional=False)]),
    ],
)  # fmt: skip
def test_what_does_not_arrive_is_named(
    world: World, fields: list[Field], change: dict[str, Any], problems: list[Unsendable]
) -> None:
    other = World(*fields)
    for name, value in change.items():
        setattr(other, name, value)
    sending = other.sending()
    sending.send_all()
    assert sending.problems == problems
    assert world.calls == []


def test_what_fails_only_together_is_said(world: World) -> None:
    class Together(World):
        def submit(self, prompt: str, **arguments: Any) -> Any:
            if len(arguments) > 1:
                raise ValueError("too many")
            return super().submit(prompt, **arguments)

    sending = Together(PROMPT, SEED, FAST).sending()
    sending.send_all()
    assert sending.problems == [Unsendable("submit", "all fields together: ValueError: too many", optional=False)]
    assert world.calls == []


def test_the_program_sends_to_a_sandbox_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["pytest"])
    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, lambda *_: pytest.fail("it goes over the network"))
    for name in ("TENSORSLAB_API_KEY", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    assert send_check.main() == []


# --- the process around it


Ended = namedtuple("Ended", "stdout stderr")  # noqa: PYI024 -- two texts


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "overlay/seedream").mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize(
    ("out", "err", "found"),
    [
        ('noise\n[{"place": "p", "reason": "r", "optional": true}]\n', "", [Unsendable("p", "r", optional=True)]), ("\n[]\n", "a warning", []), ("", "  one\nlast line \n", [Unsendable("submit", "the client cannot be used with the new code: last line", optional=False)]),
        ("", "", [Unsendable("submit", "the client cannot be used with the new code: no output", optional=False)]), ("[{}]", "e" * 400, [Unsendable("submit", f"the client cannot be used with the new code: {'e' * 300}", optional=False)]),
        ("no json", "e", [Unsendable("submit", "the client cannot be used with the new code: e", optional=False)]), ("[5]", "e", [Unsendable("submit", "the client cannot be used with the new code: e", optional=False)]), ('{"a": 1}', "e", [Unsendable("submit", "the client cannot be used with the new code: e", optional=False)]),
    ],
)  # fmt: skip
def test_a_process_of_its_own_sends_with_the_new_files(
    root: Path, monkeypatch: pytest.MonkeyPatch, out: str, err: str, found: list[Unsendable]
) -> None:
    def run(command: list[str], **given: Any) -> Ended:
        environment = given.pop("env")
        folder = Path(given.pop("cwd"))
        assert command == [sys.executable, send_check.__file__]
        assert given == {
            "capture_output": True,
            "text": True,
            "encoding": "utf-8",
            "errors": "replace",
            "timeout": 60,
            "check": False,
        }
        assert {
            path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
        } == {"gen/a/b.py": b"1", "gen/c": b"2"}
        assert environment == {
            "PATH": "/bin",
            "X_SEEDREAM": "kept",
            "PYTHONPATH": f"{folder / 'gen'}:{root / 'overlay'}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONWARNINGS": "ignore",
            "LC_ALL": "C.UTF-8",
        }
        return Ended(out, err)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(
        "os.environ", {"PATH": "/bin", "SEEDREAM_LOG": "x", "TENSORSLAB_API_KEY": "k", "X_SEEDREAM": "kept"}
    )
    assert check_sending(root, {"gen/a/b.py": b"1", "gen/c": b"2"}, "gen") == found


def test_a_process_that_takes_too_long_is_given_up(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: Any, **__: Any) -> None:
        raise subprocess.TimeoutExpired("x", 60)

    monkeypatch.setattr(subprocess, "run", run)
    assert check_sending(root, {}, "gen") == [
        Unsendable("submit", "sending samples took longer than 60 seconds", optional=False)
    ]


def test_without_an_overlay_nothing_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("nothing is to be run"))
    assert check_sending(tmp_path, {"a": b""}, "gen") == []
    assert list(tmp_path.iterdir()) == []
