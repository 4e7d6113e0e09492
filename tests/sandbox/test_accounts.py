"""Keys, the tasks that belong to them, balances, and the ledger file."""

import json
import multiprocessing
from pathlib import Path
from typing import Any

import pytest
from sandbox.sandbox_client import DELETE, QUERY, OpenSandbox, SandboxClient
from seedream_sandbox import Sandbox

FIRST, SECOND = {"Authorization": "Bearer key-one"}, {"Authorization": "Bearer key-two"}


def states(one: SandboxClient, taskids: list[str], headers: dict[str, str]) -> list[int]:
    return [one.query(taskid, headers=headers)["code"] for taskid in taskids]


@pytest.mark.parametrize("keys", [(), ("key-one", "key-two")], ids=["any key", "two keys"])
def test_a_task_belongs_to_the_key_that_submitted_it(open_sandbox: OpenSandbox, keys: tuple[str, ...]) -> None:
    one = open_sandbox(keys=keys, progress="instant")
    mine, other = one.made("mine", headers=FIRST), one.made("other", headers=SECOND)
    assert [1000, 9999] == states(one, [mine, other], FIRST)
    assert [9999, 1000] == states(one, [mine, other], SECOND)
    assert 1000 == one.call(DELETE, {"taskids": [mine, other]}, headers=SECOND).json()["code"]
    assert [1000, 9999] == states(one, [mine, other], FIRST)
    assert [9999, 9999] == states(one, [mine, other], SECOND)


def test_anothers_query_does_not_move_a_task_on(open_sandbox: OpenSandbox) -> None:
    one = open_sandbox()
    taskid = one.made(headers=FIRST)
    for _ in range(5):
        one.query(taskid, headers=SECOND)
    assert 1 == one.query(taskid, headers=FIRST)["data"]["image_status"]


@pytest.mark.parametrize("key", ["KEY-ONE", "key-one1", "key-on", "key-one,key-two", "key-one key-two", "key-oné"])
def test_keys_are_compared_exactly(open_sandbox: OpenSandbox, key: str) -> None:
    one = open_sandbox(keys=("key-one", "key-two"))
    headers = {"Authorization": f"Bearer {key}".encode("latin-1")}
    for reply in (one.submit(headers=headers), one.call(QUERY, {"taskid": "x"}, headers=headers)):
        assert (401, 9999) == (reply.status_code, reply.json()["code"])


def test_each_key_has_a_balance_of_its_own(open_sandbox: OpenSandbox) -> None:
    one = open_sandbox(keys={"key-one": 3, "key-two": 1})
    assert [1000, 9000] == [one.submit(batchsize=2, headers=FIRST).json()["code"] for _ in range(2)]
    assert [1000, 9000] == [one.submit(batchsize=1, headers=SECOND).json()["code"] for _ in range(2)]
    assert (1, 0) == (one.sandbox.balance("key-one"), one.sandbox.balance("key-two"))
    assert [(1, 2), (2, 1)] == [(charge.account, charge.images) for charge in one.sandbox.charges]
    with pytest.raises(KeyError):
        one.sandbox.balance("key-three")


def test_a_balance_is_set_and_reset_by_account() -> None:
    with Sandbox(keys={"key-one": 3, "key-two": 4}) as sandbox:
        import httpx  # noqa: PLC0415 -- beside its only use

        with httpx.Client(base_url=sandbox.base_url, trust_env=False) as http:
            assert 200 == http.post("/_sandbox/credits?balance=9&account=2").status_code
            assert (3, 9) == (sandbox.balance("key-one"), sandbox.balance("key-two"))
            assert [404, 404] == [
                http.post(f"/_sandbox/credits?balance=9&account={number}").status_code for number in ("3", "x")
            ]
            http.post("/_sandbox/reset")
        assert (3, 4) == (sandbox.balance("key-one"), sandbox.balance("key-two"))


@pytest.mark.parametrize("keys", [("",), ("a b",), ("é",), ("a\n",), (7,)])
def test_a_key_that_no_header_can_carry_is_refused(keys: Any) -> None:
    with pytest.raises(ValueError, match="keys"):
        Sandbox(keys=keys)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_the_ledger_file_has_each_charge_once_and_no_key(open_sandbox: OpenSandbox, tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "ledger.jsonl"
    one = open_sandbox(keys=("key-one", "key-two"), ledger_path=path)
    made = [one.made("灯塔\n", headers=FIRST), one.made("x" * 3000, headers=SECOND, batchsize=2)]
    found = lines(path)
    assert [(1, made[0], 1, "灯塔\n", 1), (2, made[1], 2, "x" * 1000, 2)] == [
        tuple(line[name] for name in ("number", "taskid", "images", "prompt", "account")) for line in found
    ]
    assert {"number", "taskid", "images", "credits", "prompt", "request", "at", "account"} == set(found[0])
    # Credits and the number of the request are those of the sandbox itself.
    assert [(charge.credits, charge.request) for charge in one.sandbox.charges] == [
        (line["credits"], line["request"]) for line in found
    ]
    requests = [line["request"] for line in found]
    assert all(isinstance(number, int) for number in requests)
    assert requests == sorted(set(requests))
    assert "key-" not in path.read_text("utf-8")


def test_a_second_run_goes_on_in_the_ledger_file(open_sandbox: OpenSandbox, tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    made = []
    for _ in range(2):
        one = open_sandbox(ledger_path=path)
        made += [one.made("same"), one.made("same")]
    assert 4 == len(set(made))
    assert [1, 2, 3, 4] == [line["number"] for line in lines(path)]
    with path.open("ab") as file:
        file.write(b'{"number": 5, "taskid": "cut o')
    made.append(open_sandbox(ledger_path=path).made("after a kill"))
    assert made[-1] == lines_that_are_whole(path)[-1]["taskid"]
    assert 5 == len(lines_that_are_whole(path))


def lines_that_are_whole(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.endswith("}")]


def test_a_ledger_file_that_cannot_be_written_charges_nothing(open_sandbox: OpenSandbox, tmp_path: Path) -> None:
    path = tmp_path / "folder" / "ledger.jsonl"
    one = open_sandbox(ledger_path=path)
    path.unlink()
    path.mkdir()
    reply = one.submit().json()
    assert (9999, True) == (reply["code"], "ledger" in reply["msg"])
    assert ([], 1000, []) == (one.sandbox.charges, one.sandbox.credits, one.sandbox.tasks)


def test_a_ledger_path_that_is_not_a_file_is_reported_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file" / "below"):
        with pytest.raises(OSError, match=str(path.parent.name)):
            Sandbox(ledger_path=path)


def submit_many(path: Path, seed: int) -> None:
    import httpx  # noqa: PLC0415 -- in the child process

    sandbox = Sandbox(ledger_path=path, seed=seed, credits=10**6)
    with httpx.Client(transport=sandbox.transport) as http:
        one = SandboxClient(sandbox, http)
        for number in range(100):
            one.made(f"{seed}/{number} " + "long " * 100)


def test_two_processes_write_whole_lines_into_one_ledger_file(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=submit_many, args=(path, seed)) for seed in (1, 2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [0, 0] == [worker.exitcode for worker in workers]
    found = lines(path)
    assert 200 == len({line["taskid"] for line in found}) == len(found)


def test_the_same_seed_with_another_prompt_gives_another_id(open_sandbox: OpenSandbox) -> None:
    """Else a client that finds a file of that name would show the earlier prompt's picture as the new one."""
    image = [("sourceImage", ("a.png", b"1", "image/png"))]
    variants: list[dict[str, Any]] = [
        {}, {"batchsize": 2}, {"resolution": "1:1"}, {"imageUrl": "https://x/a.png"}, {"files": image},
        {"files": [("sourceImage", ("a.png", b"2", "image/png"))]},
    ]  # fmt: skip
    first = [open_sandbox().made("a fish", **fields) for fields in variants]
    assert first == [open_sandbox().made("a fish", **fields) for fields in variants], "the seed decides"
    others = [
        open_sandbox().made("a bird"),
        open_sandbox(seed=1).made("a fish"),
        open_sandbox(format="jpeg").made("a fish"),
    ]
    assert len(variants) + 3 == len({*first, *others})
