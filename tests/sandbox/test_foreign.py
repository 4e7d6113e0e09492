"""Clients in other languages and libraries, as the vendor's page shows them: curl and requests; and our own, whole."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from io import BytesIO
from pathlib import Path
from typing import Any

import anyio
import pytest
import requests
from PIL import Image
from sandbox.sandbox_client import QUERY, SUBMIT
from seedream import AsyncSeeDream, InsufficientCredits, SeeDream, SubmissionUnknown
from seedream_sandbox import Sandbox, charges_summary, run_server, usage

CURL = shutil.which("curl")


def curl(*words: str) -> bytes:
    assert CURL is not None
    done = subprocess.run(
        [CURL, "--silent", "--noproxy", "*", "--max-time", "20", *words], capture_output=True, check=True
    )
    return done.stdout


@pytest.mark.skipif(CURL is None, reason="curl is not installed")
def test_curl_from_submission_to_picture(tmp_path: Path) -> None:
    source = tmp_path / "source picture.png"
    Image.new("RGB", (30, 20), (200, 30, 30)).save(source)
    with Sandbox(pictures="plain") as sandbox:
        key = f"Authorization: Bearer {sandbox.api_key}"
        form = ("-F", "prompt=灯塔", "-F", "batchsize=2", "-F", "resolution=3750x1250", "-F", f"sourceImage=@{source}")
        made = json.loads(curl(sandbox.base_url + SUBMIT, "-H", key, *form))
        assert 1000 == made["code"]
        record = sandbox.requests[-1]
        assert {"prompt": ["灯塔"], "batchsize": ["2"], "resolution": ["3750x1250"]} == record.fields
        assert [("sourceImage", "source picture.png", "image/png", source.stat().st_size)] == record.files
        body = json.dumps({"taskid": made["data"]["taskid"]})
        for _ in range(3):
            reply = curl(sandbox.base_url + QUERY, "-H", key, "-H", "Content-Type: application/json", "-d", body)
            data = json.loads(reply)["data"]
        assert 3 == data["image_status"]
        for url in data["url"]:
            with Image.open(BytesIO(curl(url))) as picture:
                assert (3750, 1250) == picture.size
        assert [2] == [charge.images for charge in sandbox.charges]


@pytest.mark.skipif(CURL is None, reason="curl is not installed")
def test_curl_with_a_large_form_waits_for_the_go_ahead(tmp_path: Path) -> None:
    # curl sends Expect: 100-continue before a megabyte.
    large = tmp_path / "large.bin"
    large.write_bytes(os.urandom(3_000_000))
    with Sandbox() as sandbox:
        key = f"Authorization: {sandbox.api_key}"
        made = curl(sandbox.base_url + SUBMIT, "-H", key, "-F", "prompt=x", "-F", f"sourceImage=@{large}")
        assert 1000 == json.loads(made)["code"]
        assert 3_000_000 == sandbox.requests[-1].files[0][3]


def test_requests_from_submission_to_picture() -> None:
    with Sandbox(pictures="plain") as sandbox, requests.Session() as session:
        session.trust_env = False
        key = {"Authorization": f"Bearer {sandbox.api_key}"}
        form = {"prompt": "a lighthouse", "batchsize": 2, "resolution": "16:9"}
        picture = ("a.png", b"\x89PNG", "image/png")
        files = [("sourceImage", picture), ("sourceImage", picture)]
        made = session.post(sandbox.base_url + SUBMIT, data=form, files=files, headers=key, timeout=20).json()
        assert (1000, 2) == (made["code"], len(sandbox.requests[-1].files))
        for _ in range(3):
            reply = session.post(sandbox.base_url + QUERY, json=made["data"], headers=key, timeout=20).json()
        for url in reply["data"]["url"]:
            with Image.open(BytesIO(session.get(url, timeout=20).content)) as found:
                assert (2560, 1440) == found.size
        refused = session.post(sandbox.base_url + SUBMIT, data=form, headers=key, timeout=20).json()
        assert 9999 == refused["code"], "without files, requests sends no multipart form"
        assert [2] == [charge.images for charge in sandbox.charges]


@pytest.mark.parametrize("served", [True, False], ids=["tcp", "memory"])
def test_our_own_clients(tmp_path: Path, *, served: bool) -> None:
    sandbox = Sandbox(pictures="plain", polls=0, credits=4)
    if served:
        sandbox.start()
    try:
        reach: dict[str, Any] = {"base_url": sandbox.base_url, "transport": None if served else sandbox.transport}
        with SeeDream(sandbox.api_key, **reach) as client:
            assert 2 == len(client.generate("x", batchsize=2, output_dir=tmp_path).files)

        async def awaiting() -> int:
            async with AsyncSeeDream(sandbox.api_key, **reach) as client:
                return len((await client.generate("y", batchsize=1, output_dir=tmp_path)).files)

        assert 1 == anyio.run(awaiting)
        sandbox.add_fault("cut-reply")
        with SeeDream(sandbox.api_key, **reach) as client, pytest.raises(SubmissionUnknown):
            client.submit("z", batchsize=1)
        sandbox.clear_faults()
        with SeeDream(sandbox.api_key, **reach) as client, pytest.raises(InsufficientCredits):
            client.submit("too much")
        assert [2, 1, 1] == [charge.images for charge in sandbox.charges]
    finally:
        sandbox.stop()


@pytest.mark.parametrize(
    ("fault", "phase"), [("cut-request after=20", "sent_partial"), ("cut-request after=99999", "sent_full")]
)
def test_in_process_a_client_knows_how_far_a_request_got(fault: str, phase: str) -> None:
    sandbox = Sandbox(faults=[fault])
    client = SeeDream(sandbox.api_key, base_url=sandbox.base_url, transport=sandbox.transport)
    with client, pytest.raises(SubmissionUnknown) as caught:
        client.submit("x" * 1000)
    assert phase == caught.value.phase
    assert [] == sandbox.charges


def serve(*words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "seedream", "sandbox", "--port", "0", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_as_a_process_of_its_own(tmp_path: Path, number: signal.Signals) -> None:
    ledger = tmp_path / "charges.jsonl"
    with serve("--ledger", str(ledger), "--credits", "5", "--fault", "failure nth=2", "--pictures", "plain") as process:
        try:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(4)]
            found = re.search(r"TENSORSLAB_BASE_URL=(\S+) TENSORSLAB_API_KEY=(\S+)", lines[1])
            assert found is not None
            assert "curl " in lines[2]
            assert found[1] + "/" in lines[3]
            for _ in range(2):
                requests.post(
                    found[1] + SUBMIT, files={"prompt": (None, "雾"), "batchsize": (None, "3")},
                    headers={"Authorization": found[2]}, timeout=20,
                )  # fmt: skip
            charges = [json.loads(line) for line in ledger.read_text("utf-8").splitlines()]
            assert [("雾", 3, 3)] == [(charge["prompt"], charge["images"], charge["credits"]) for charge in charges]
            process.send_signal(number)
            out, err = process.communicate(timeout=30)
        finally:
            process.kill()
    assert ("Stopped. Images charged: 3; credits left: 2.\n", 0) == (out, process.returncode)
    log = [line.split("  ") for line in err.splitlines()]
    assert [["POST", "seedreamv45", "200 1000", "accepted", "3 charged"], ["POST", "seedreamv45", "200 9999"]] == [
        log[0][-6:-1], log[1][-4:-1],
    ]  # fmt: skip


@pytest.mark.parametrize(
    "words", [("--fault", "cut-replly"), ("--port", "many"), ("--plan", "none.yaml"), ("--credits", "-1")]
)
def test_a_wrong_option_is_reported(words: tuple[str, ...]) -> None:
    with serve(*words) as process:
        out, err = process.communicate(timeout=30)
    assert (2, "") == (process.returncode, out)
    assert "Traceback" not in err
    assert words[1] in err


def test_the_faults_are_listed() -> None:
    with serve("--list-faults") as process:
        out, _ = process.communicate(timeout=30)
    assert 0 == process.returncode
    assert "cut-reply " in out


def test_run_server_can_be_ended_by_its_caller() -> None:
    said: list[str] = []
    sandbox, stop = Sandbox(), threading.Event()
    thread = threading.Thread(target=run_server, args=(sandbox, said.append), kwargs={"stop": stop})
    thread.start()
    while len(said) < 4:
        assert thread.is_alive()
        threading.Event().wait(0.01)
    assert tuple(said) == usage(sandbox)
    stop.set()
    thread.join(20)
    assert not sandbox.serving
    assert charges_summary(sandbox) == said[-1]


def test_beyond_loopback_it_warns() -> None:
    with pytest.warns(UserWarning, match="other machines can reach it"):
        sandbox = Sandbox(host="0.0.0.0").start()  # noqa: S104 -- on purpose
    sandbox.stop()


@pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")
def test_it_stops_quietly_when_nobody_reads_what_it_says() -> None:
    with serve() as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for _ in range(4):
            assert process.stdout.readline()
        process.stdout.close()
        process.terminate()
        assert "" == process.stderr.read()
    assert 141 == process.returncode, "128 + SIGPIPE, as a shell reports it"
