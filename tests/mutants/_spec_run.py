"""Builds one wrong copy of the generated package and has the suite find it, in this process: run it in a fresh one."""

import hashlib
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from mutants.wrong_specs import PAGE, STOP, WrongSpec
from pipeline.build import build
from pipeline.errors import PipelineError
from pipeline.generate import generate
from pipeline.inputs import ORIGIN, Inputs, load, read

ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Found:
    """How a wrong spec was found; plain data, as Detection."""

    name: str
    expected: str
    check: str = ""
    rule: str = ""
    said: str = ""


def detect_spec(wrong: WrongSpec) -> Found:
    """Build it, load it, judge it."""
    survived = Found(wrong.name, wrong.expected)
    try:
        if wrong.page_only:
            return _updated(wrong, survived)
        files = _edited(wrong, load(ROOT))
    except PipelineError as error:
        return _stopped(survived, str(error))
    except LookupError as error:  # the page has changed: this one fault can no longer be planted
        return replace(survived, said=str(error))
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        sys.path.insert(0, f"{folder}/generated")
        return _judged(survived, in_client=any(edit.file.startswith("generated/") for edit in wrong.edits))


def _edited(wrong: WrongSpec, inputs: Inputs) -> dict[str, bytes]:
    """Return the generated files of the wrong inputs, or the right ones edited."""
    sources, made = dict(inputs.files), [edit for edit in wrong.edits if edit.file.startswith("generated/")]
    for edit in wrong.edits:
        if edit not in made:
            sources[edit.file] = _changed(sources[edit.file], edit.old, edit.new)
    sources[ORIGIN] = _with_hash(sources)
    files = build(read(sources))
    for edit in made:
        files[edit.file] = _changed(files[edit.file], edit.old, edit.new)
    return files


def _changed(data: bytes, old: str, new: str) -> bytes:
    text = data.decode()
    if old not in text:
        raise LookupError(f"{old!r} is not there any more: bring tests/mutants/wrong_specs.py up to date")
    return text.replace(old, new).encode()


def _with_hash(sources: dict[str, bytes]) -> bytes:
    head, _, _ = sources[ORIGIN].decode().partition("yaml_sha256")
    return f'{head}yaml_sha256 = "{hashlib.sha256(sources[PAGE]).hexdigest()}"\n'.encode()


def _updated(wrong: WrongSpec, survived: Found) -> Found:
    """Return what `make generate SPEC=...` makes of it as a new page, in a copy of the repository's inputs."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        inputs = load(ROOT)
        for name, data in inputs.files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(data)
        page = root / "page.yaml"
        changed = inputs.files[PAGE]
        for edit in wrong.edits:
            changed = _changed(changed, edit.old, edit.new)
        page.write_bytes(changed)
        report = generate(root, page)
        return _stopped(survived, report.text()) if report.code else survived


def _stopped(survived: Found, said: str) -> Found:
    rule = STOP if survived.expected == STOP else next((r for r in survived.expected.split() if r in said), "")
    line = next((line for line in said.splitlines() if rule and rule in line), said)
    return replace(survived, check="make generate", rule=rule, said=line.strip()[:160])


def _judged(survived: Found, *, in_client: bool) -> Found:
    # Loaded here and not above: from the wrong copy.
    import judge  # noqa: PLC0415
    from contract.client_checks import CLIENT_CHECKS, ClientUnderTest  # noqa: PLC0415
    from contract.client_checks.checks import run_all  # noqa: PLC0415
    from mutants._judged import wrong_tables  # noqa: PLC0415
    from mutants._wrong import detect  # noqa: PLC0415
    from mutants.wrong_servers import detect_server, server_under_test  # noqa: PLC0415
    from seedream import SeeDream  # noqa: PLC0415
    from seedream_testing.contract import Violation  # noqa: PLC0415

    def server_rejects(only: Sequence[str] = ()) -> None:
        with server_under_test(judge.FACTS) as server:
            found = detect_server(survived.name, survived.expected, server, only, spread=True)
        if found.check:
            raise Violation(found.said, rule=found.rule, check=found.check)

    def work() -> None:
        # Those of the expected rules first, of the client, the server and the tables; all of the client's take longest.
        expected = survived.expected.split()
        client = ClientUnderTest(SeeDream, judge.FACTS)
        run_all([check for check in CLIENT_CHECKS if check.rule in expected], client)
        server_rejects(expected)
        wrong_tables()
        if not in_client:
            server_rejects()
        run_all([check for check in CLIENT_CHECKS if check.rule not in expected], client)
        server_rejects()

    return Found(**{**asdict(survived), **_fields(detect(survived.name, survived.expected, work))})


def _fields(kill: object) -> dict[str, str]:
    return {name: str(getattr(kill, name)) for name in ("check", "rule", "said")}
