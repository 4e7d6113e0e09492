"""Each end of a run has its exit code, a readable message with the rule and what to do, and a JSON form."""

import errno
import json
from pathlib import Path
from typing import Any

import facts
import pytest
from seedream import errors
from seedream.cli import exit_codes
from seedream.cli.error_output import error_document, summary_zh
from support.clients import KEY
from support.scripted_server import Action, ScriptedServer, refusing_url, reply
from tensorslab_images.rules import RULES


def answer(code: int, **more: object) -> Action:
    return reply(200, json.dumps({"code": code, "msg": "ended", **more}).encode())


ENDS = {
    "9000 without data": (answer(9000), 5, "InsufficientCredits", "no"),
    "9000 with data": (answer(9000, data={}), 5, "InsufficientCredits", "no"),
    "9999": (answer(9999), 1, "Rejected", "no"),
    "1000 without a task id": (answer(1000, data={}), 6, "SubmissionUnknown", "unknown"),
    "HTML": (reply(200, b"<html>"), 6, "SubmissionUnknown", "unknown"),
    "empty": (reply(200), 6, "SubmissionUnknown", "unknown"),
    "401": (reply(401), 4, "AuthError", "no"),
    "308": (reply(308, headers={"location": "https://elsewhere.example/"}), 4, "ConfigError", "no"),
    "422": (reply(422), 1, "Rejected", "no"),
    "429, later": (reply(429, headers={"retry-after": "9999"}), 9, "RateLimited", "no"),
    "500": (reply(500), 6, "SubmissionUnknown", "unknown"),
    "520": (reply(520), 6, "SubmissionUnknown", "unknown"),
    "lost connection": (lambda connection: connection.read_request() and None, 6, "SubmissionUnknown", "unknown"),
}


@pytest.mark.parametrize("name", ENDS)
def test_each_failed_submission_has_its_exit_code(cli: Any, tmp_path: Path, name: str) -> None:
    action, code, kind, billing = ENDS[name]
    with ScriptedServer(action) as server:
        ran = cli("generate", "x", "-o", str(tmp_path), "--base-url", server.url, "--json")
        assert 1 == len(server.requests), "a paid request is sent once"
        ended = cli("generate", "x", "-o", str(tmp_path), "--base-url", server.url)
    error = ran.document["error"]
    assert (code, kind, billing, code) == (ran.code, error["type"], error["billing"], error["exit_code"])
    assert (code, "") == (ended.code, ended.out)
    assert ended.err.startswith("Error: ")
    assert "  do     " in ended.err


def test_a_service_that_is_not_there_is_not_sent(cli: Any, tmp_path: Path) -> None:
    with refusing_url() as url:
        ran = cli("generate", "x", "-o", str(tmp_path), "--base-url", url)
    assert 9 == ran.code
    assert "othing was sent" in ran.err


def test_no_key_says_where_it_comes_from(cli: Any) -> None:
    ran = cli("generate", "x", TENSORSLAB_API_KEY=None)
    assert 4 == ran.code
    assert "TENSORSLAB_API_KEY" in ran.err
    assert "--sandbox" in ran.err


@pytest.mark.parametrize("content", [b"", b"\n", b"two words\n", b"\xff\xfe", b"a" * 20_000 + b" b"])
def test_an_unusable_key_file_is_reported_without_its_content(cli: Any, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    ran = cli("task", "t1", "--api-key-file", str(path))
    assert 4 == ran.code
    assert "words" not in ran.err
    assert 4 == cli("task", "t1", "--api-key-file", str(tmp_path / "none")).code
    assert 4 == cli("task", "t1", "--api-key-file", str(tmp_path)).code


def test_a_key_file_is_used_without_its_line_break_and_before_the_environment(cli: Any, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("sk-from-file\n")
    with ScriptedServer(reply(401, b"sk-from-file is not known")) as server:
        ran = cli("task", "t1", "--api-key-file", str(path), "--base-url", server.url, "--json")
    assert b"Bearer sk-from-file\r\n" in server.requests[0]
    assert KEY.encode() not in server.requests[0]
    assert "sk-from-file" not in ran.out + ran.err


@pytest.mark.parametrize("url", ["http://api.example", "ftp://x", "https://u:p@x", "https://x/?q", "x", "https://"])
def test_an_unusable_base_url_is_reported(cli: Any, url: str) -> None:
    assert 4 == cli("task", "t1", "--base-url", url).code
    assert 4 == cli("generate", "x", "--dry-run", "--base-url", url).code


def test_a_directory_that_cannot_be_written_is_reported_before_anything_is_paid(cli: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with ScriptedServer(reply(500)) as server:
        ran = cli("generate", "x", "-o", str(tmp_path / "file" / "sub"), "--base-url", server.url)
        assert [] == server.requests
    assert 4 == ran.code
    assert "cannot write" in ran.err.lower()


def test_every_error_of_the_tree_has_an_exit_code_of_the_table() -> None:
    def below(kind: type[errors.SeeDreamError]) -> set[type[errors.SeeDreamError]]:
        return {kind}.union(*(below(one) for one in kind.__subclasses__()))

    tree = below(errors.SeeDreamError)
    assert len(tree) > 20
    codes = {kind.__name__: exit_codes.exit_for(kind("x")).code for kind in tree}
    assert set(codes.values()) <= {one.code for one in exit_codes.TABLE}
    assert 0 not in codes.values()
    # A script may rely on this: what may have been billed never looks like what was not sent.
    assert [] == [kind.__name__ for kind in tree if kind.billing == "unknown" and codes[kind.__name__] in (3, 9, 10)]


# Typed by hand: scripts rely on these, and the table in the code is no evidence for itself.
EXITS = {
    1: "Refused Rejected SeeDreamError TaskFailed",
    3: "InvalidRequest InvalidResolution",
    4: "AuthError ConfigError",
    5: "InsufficientCredits",
    6: "SubmissionUnknown",
    7: "StatusError WaitTimeout",
    8: "DiskError DownloadError NotAPicture ResultExpired TooLarge Truncated UnsafeUrl",
    9: "NotSent RateLimited",
    10: "JournalError JournalFull JournalLocked JournalTooNew",
    11: "BudgetReached",
    12: "TaskNotFound",
}


@pytest.mark.parametrize(("code", "name"), [(code, name) for code, names in EXITS.items() for name in names.split()])
def test_each_class_has_the_exit_code_that_scripts_know(code: int, name: str) -> None:
    error = getattr(errors, name)("x")
    assert code == exit_codes.exit_for(error).code == error_document(error)["exit_code"]


def test_a_document_holds_everything_that_an_error_knows() -> None:
    lost = errors.SubmissionUnknown(
        "lost",
        rule="CODE-MEANING",
        hint="Look.",
        taskid="t-1",
        reply=errors.RawReply(502, {"date": "now"}, b"\xff<html>"),
    )
    lost.digest, lost.phase = "d" * 64, "sent_partial"
    rule = {
        "id": "CODE-MEANING", "sentence": RULES["CODE-MEANING"].sentence, "summary": RULES["CODE-MEANING"].summary,
    }  # fmt: skip
    known: dict[str, Any] = {
        "type": "SubmissionUnknown", "message": "lost", "rule": rule, "hint": "Look.", "summary_zh": summary_zh(lost),
        "problems": [], "taskid": "t-1", "billing": "unknown", "retryable": False, "retry_after": None,
        "digest": "d" * 64, "phase": "sent_partial",
        "reply": {"status": 502, "headers": {"date": "now"}, "body": "\ufffd<html>"},
        "files": [], "missing": {}, "exit_code": 6,
    }  # fmt: skip
    assert known == error_document(lost)

    limited = errors.RateLimited("later")
    limited.retry_after = 7.0
    some = errors.DownloadError("some")
    some.files, some.errors = {0: Path("a.png")}, {2: errors.Truncated("cut")}
    invalid = errors.InvalidRequest(errors.Problem("prompt", "is missing", rule="NOT-A-RULE", hint="Give one."))
    empty = dict.fromkeys(("rule", "taskid", "retry_after", "digest", "phase", "reply"))
    for error, expected in (
        (limited, empty | {"retry_after": 7.0, "billing": "no", "retryable": True, "exit_code": 9}),
        (some, empty | {"files": ["a.png"], "missing": {"2": "cut"}, "billing": "yes", "exit_code": 8}),
        (
            invalid,
            empty
            | {"rule": {"id": "NOT-A-RULE", "sentence": "", "summary": ""}, "exit_code": 3}
            | {"problems": [{
                "field": "prompt", "message": "is missing", "hint": "Give one.",
                "rule": {"id": "NOT-A-RULE", "sentence": "", "summary": ""},
            }]},
        ),
    ):  # fmt: skip
        document = error_document(error)
        assert set(known) == set(document)
        assert expected == {name: document[name] for name in expected}


def test_a_chinese_locale_gets_a_chinese_line_first(cli: Any) -> None:
    for environ in ({"LC_ALL": "zh_CN.UTF-8"}, {"SEEDREAM_LANG": "zh"}, {"LC_ALL": "", "LANG": "zh_TW"}):
        ran = cli("generate", "x", "-r", "1x1", **environ)
        assert "请求不合规" in ran.err.splitlines()[0]
    assert "请求不合规" not in cli("generate", "x", "-r", "1x1", LC_ALL="zh_CN", SEEDREAM_LANG="en").err


def test_a_rule_is_quoted_in_the_vendors_words(cli: Any) -> None:
    ran = cli("generate", "x", "-n", str(facts.LARGEST + 1))
    assert "BATCH-RANGE" in ran.err
    assert f"“{RULES['BATCH-RANGE'].sentence}”" in ran.err


def test_a_usage_error_is_json_too(cli: Any) -> None:
    ran = cli("generate", "x", "--jsno", "--json")
    assert (2, 2) == (ran.code, ran.document["error"]["exit_code"])
    # After `--` it is a prompt, not an option.
    assert cli("generate", "--dry-run", "--", "--json").out.startswith("POST")


def test_an_unexpected_exception_is_one_line_and_its_traceback_is_to_be_had(
    cli: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError(f"broken with {KEY} and https://h.example/?sig=1")

    monkeypatch.setattr("seedream.client.SeeDream.query", broken)
    ran = cli("task", "t1")
    assert 70 == ran.code
    assert 1 == len(ran.err.splitlines())
    assert "SEEDREAM_DEBUG=1" in ran.err
    assert "sig=1" not in ran.err
    assert "RuntimeError" == cli("task", "t1", "--json").document["error"]["type"]


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (MemoryError(), 71, "Cannot allocate memory"),
        (OSError(errno.EMFILE, "Too many open files"), 71, "Too many open files"),
        (OSError(errno.ENFILE, "Too many open files in system", "x"), 71, "Too many open files"),
        (OSError(errno.ENOSPC, "No space left on device", "out/results.jsonl"), 71, "results.jsonl"),
        (OSError(errno.ENOSPC, "No space left on device"), 71, "this machine: No space"),
        (RuntimeError("can't start new thread"), 71, "can't start new thread"),
        (ExceptionGroup("tasks", [MemoryError()]), 71, "Cannot allocate memory"),
        (PermissionError(errno.EACCES, "Permission denied", "E1/Journal.sqlite"), 4, "“E1/Journal.sqlite”: Permission"),
    ],
    ids=lambda value: f"{value!r}"[:30],
)
def test_a_lack_of_resources_is_not_reported_as_a_bug_and_a_paid_task_is_named(
    cli: Any, monkeypatch: pytest.MonkeyPatch, error: Exception, code: int, text: str
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("seedream.client.Task.save", broken)
    accepted = answer(1000, data={"taskid": "abcd_1"})
    with ScriptedServer(accepted) as server:
        ran = cli("generate", "x", "--base-url", server.url)
    assert (code, "") == (ran.code, ran.out)
    assert "bug" not in ran.err
    assert text in ran.err
    # The id is printed at once, and again at the end.
    assert ran.err.startswith("Task abcd_1 accepted.")
    assert ran.err.splitlines()[-1].startswith("The task goes on; to get its pictures: seedream wait abcd_1")
    with ScriptedServer(accepted) as server:
        document = cli("generate", "x", "--base-url", server.url, "--json").document
    assert ("abcd_1", code) == (document["error"]["taskid"], document["error"]["exit_code"])


def test_a_script_can_tell_a_missing_task_from_an_unfinished_one() -> None:
    assert exit_codes.exit_for(errors.TaskNotFound("no such task")) == exit_codes.NOT_FOUND
    assert exit_codes.exit_for(errors.StatusError("not now")) == exit_codes.UNFINISHED
