"""The fixtures, used in this very process by both clients."""

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import facts
import httpx
import pytest
from seedream import AsyncSeeDream, InvalidRequest, RateLimited, SeeDream, SubmissionUnknown

if TYPE_CHECKING:
    from seedream_sandbox import Sandbox
    from seedream_testing.fixtures import AssertCharged, SeeDreamMock

HOST = facts.SERVER.removeprefix("https://")
SUBMIT = f"{facts.SERVER}/v1/images/seedreamv45"


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENSORSLAB_API_KEY", "a-real-key-that-must-not-be-used")


def test_the_sandbox_is_found_by_the_client_and_by_child_processes(
    seedream_sandbox: "Sandbox", assert_charged: "AssertCharged"
) -> None:
    with SeeDream() as client:
        client.submit("one", batchsize=1)
    code = "from seedream import SeeDream\nwith SeeDream() as client: client.submit('two', batchsize=2)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    assert ["one", "two"] == [charge.prompt for charge in seedream_sandbox.charges]
    assert_charged(3, submissions=2)


@pytest.mark.usefixtures("key")
def test_a_real_key_of_the_machine_is_not_used(seedream_sandbox: "Sandbox") -> None:
    with SeeDream() as client:
        client.submit("one")
    authorization = dict(seedream_sandbox.requests[0].headers)["authorization"]
    assert authorization.endswith(f"({len(seedream_sandbox.api_key)} characters)")


def test_the_mock_replaces_the_vendors_host_blocking(seedream_mock: "SeeDreamMock", tmp_path: Path) -> None:
    with SeeDream() as client:
        made = client.generate("a boat", batchsize=2, resolution="16:9", output_dir=tmp_path)
    assert 2 == len(made.files)
    assert ["submit", "query"] == [{"seedreamv45": "submit", "infobytaskid": "query"}[one.path.rsplit("/", 1)[1]]
                                   for one in seedream_mock.requests if one.host == "api"]  # fmt: skip
    hosts = [call.request.url.host for call in seedream_mock.router.calls]
    assert [HOST, HOST] == hosts[:2]
    assert {"images.sandbox.invalid"} == set(hosts[2:])


def test_the_mock_replaces_the_vendors_host_awaiting(
    seedream_mock: "SeeDreamMock", assert_charged: "AssertCharged", tmp_path: Path
) -> None:
    async def make() -> int:
        async with AsyncSeeDream() as client:
            return len((await client.generate("a boat", batchsize=3, output_dir=tmp_path)).files)

    assert 3 == anyio.run(make)
    assert {"accepted"} == {one.verdict for one in seedream_mock.requests}
    assert_charged(3, submissions=1)


def test_the_mock_checks_requests_against_the_spec(
    seedream_mock: "SeeDreamMock", assert_charged: "AssertCharged"
) -> None:
    """Whoever sends it: here, a client that checks nothing."""
    parts = {"prompt": (None, "a boat"), "batchsize": (None, str(facts.LARGEST + 1))}
    reply = httpx.post(SUBMIT, headers={"Authorization": "Bearer x"}, files=parts)
    assert 9999 == reply.json()["code"]
    assert "BATCH-RANGE" == seedream_mock.requests[-1].rule
    assert_charged(0)


def test_any_other_host_is_not_reached_under_the_mock(seedream_mock: "SeeDreamMock") -> None:
    for url in ("https://elsewhere.example/", f"http://{HOST}/", f"https://docs.{HOST.partition('.')[2]}/"):
        with pytest.raises(Exception, match="not mocked"):
            httpx.get(url)
    assert [] == seedream_mock.requests


def test_a_refusal_of_the_client_itself_reaches_nobody(seedream_mock: "SeeDreamMock") -> None:
    with SeeDream() as client, pytest.raises(InvalidRequest):
        client.submit("a boat", batchsize=facts.LARGEST + 1)
    assert [] == seedream_mock.requests


def test_faults_of_the_mock(seedream_mock: "SeeDreamMock", assert_charged: "AssertCharged") -> None:
    seedream_mock.add_fault("cut-reply nth=1")
    seedream_mock.add_fault("rate-limit nth=2 retry_after=9999")
    with SeeDream() as client:
        with pytest.raises(SubmissionUnknown):
            client.submit("a boat", batchsize=1)
        with pytest.raises(RateLimited):
            client.submit("a boat")
    assert_charged(1)


@pytest.mark.seedream(progress="polls", polls=3)
def test_a_mark_changes_the_quick_defaults(seedream_mock: "SeeDreamMock") -> None:
    with SeeDream() as client:
        task = client.submit("a boat")
        assert ["queued", "processing", "processing", "completed"] == [client.query(task.id).state for _ in range(4)]
    assert 5 == len(seedream_mock.requests)
