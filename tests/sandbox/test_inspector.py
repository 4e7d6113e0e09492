"""The inspector's JSON, and who may ask for it."""

from collections.abc import Iterator
from io import BytesIO

import httpx
import pytest
from PIL import Image
from sandbox.sandbox_client import SandboxClient
from seedream_sandbox import KINDS, Sandbox
from seedream_sandbox.http import Request
from seedream_sandbox.inspector.routes import Inspector


@pytest.fixture
def client() -> Iterator[SandboxClient]:
    with Sandbox(credits=20, pictures="plain") as sandbox, httpx.Client(trust_env=False, timeout=60) as http:
        yield SandboxClient(sandbox, http)


def ask(client: SandboxClient, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.http.request(method, client.sandbox.base_url + path, headers=named)


def test_the_state_shows_tasks_requests_credits_and_faults(client: SandboxClient) -> None:
    taskid = client.made("a <b>lighthouse</b>", batchsize="3", resolution="2560x1440")
    client.submit("too small", resolution="1500x1500")
    client.sandbox.add_fault("rate-limit nth=7,8 probability=0.5")
    state = ask(client, "/_sandbox/state").json()
    assert (17, 20, 3) == (state["credits"], state["started_with"], state["charged"])
    assert {"accepted": 1, "refused": 1, "fault": 0} == state["verdicts"]
    (task,) = state["tasks"]
    assert (taskid, "a <b>lighthouse</b>", "queued", 3) == tuple(
        task[key] for key in ("id", "prompt", "state", "images")
    )
    assert (2560, 1440) == (task["width"], task["height"])
    refused, accepted = state["requests"]
    assert ("refused", "RES-PIXELS", 9999) == (refused["verdict"], refused["rule"], refused["code"])
    assert ["1500x1500"] == refused["fields"]["resolution"]
    assert ("accepted", taskid, 3) == (accepted["verdict"], accepted["taskid"], accepted["charged"])
    assert ["rate-limit retry_after=1 at=submit nth=7,8 probability=0.5"] == state["faults"]
    assert set(KINDS) == set(state["kinds"])


def test_looking_changes_nothing(client: SandboxClient) -> None:
    """Tasks that progress by polls are not moved on by the inspector, and its requests are not in the record."""
    client.made()
    for _ in range(5):
        assert "queued" == ask(client, "/_sandbox/state").json()["tasks"][0]["state"]
    assert 1 == len(client.sandbox.requests)


def test_the_key_is_shown_masked_where_it_was_received(client: SandboxClient) -> None:
    client.submit(headers={"Authorization": "Bearer my-own-secret-key-1234"})
    shown = ask(client, "/_sandbox/requests").text
    assert "my-own-secret-key" not in shown
    assert "Bearer ***34" in shown


def test_charges_requests_tasks_and_faults_each_have_an_address(client: SandboxClient) -> None:
    taskid = client.made("one", batchsize="2")
    assert [(taskid, 2)] == [(one["taskid"], one["images"]) for one in ask(client, "/_sandbox/charges").json()]
    assert ["/v1/images/seedreamv45"] == [one["path"] for one in ask(client, "/_sandbox/requests").json()]
    assert [taskid] == [one["id"] for one in ask(client, "/_sandbox/tasks").json()]
    faults = ask(client, "/_sandbox/faults").json()
    assert [] == faults["in_force"]
    assert {"after": 20, "how": "fin"} == faults["kinds"]["cut-head"]["options"]
    assert 404 == ask(client, "/_sandbox/nothing").status_code


def test_faults_can_be_put_in_force_and_ended(client: SandboxClient) -> None:
    added = ask(client, "/_sandbox/faults?fault=rate-limit%20times%3D1", "POST")
    assert (200, ["rate-limit retry_after=1 at=submit times=1"]) == (added.status_code, added.json()["in_force"])
    assert 429 == client.submit().status_code
    assert 200 == ask(client, "/_sandbox/faults", "DELETE").status_code
    assert [] == ask(client, "/_sandbox/faults").json()["in_force"]


def test_a_fault_that_does_not_exist_is_refused_with_the_nearest(client: SandboxClient) -> None:
    wrong = ask(client, "/_sandbox/faults?fault=cut-repl", "POST")
    assert 400 == wrong.status_code
    assert "did you mean 'cut-reply'" in wrong.json()["error"]


def test_credits_can_be_set(client: SandboxClient) -> None:
    assert {"credits": 0} == ask(client, "/_sandbox/credits?balance=0", "POST").json()
    assert 9000 == client.submit().json()["code"]


@pytest.mark.parametrize("balance", ["", "-1", "1.5", "x", "9" * 30, "٣"])
def test_credits_must_be_a_whole_number(client: SandboxClient, balance: str) -> None:
    assert 400 == ask(client, f"/_sandbox/credits?balance={balance}", "POST").status_code
    assert 20 == client.sandbox.credits


def test_reset_starts_over_but_gives_no_id_twice(client: SandboxClient) -> None:
    first = client.made()
    client.sandbox.add_fault("rate-limit")
    assert {"credits": 20} == ask(client, "/_sandbox/reset", "POST").json()
    assert ([], [], []) == (client.sandbox.charges, client.sandbox.tasks, client.sandbox.requests)
    assert first != client.made()


def test_thumbnails_and_pictures(client: SandboxClient) -> None:
    taskid = client.made(batchsize="2", resolution="16:9")
    for kind, size in (("thumbs", (320, 180)), ("pictures", (2560, 1440))):
        reply = ask(client, f"/_sandbox/{kind}/{taskid}/1")
        assert 200 == reply.status_code
        assert size == Image.open(BytesIO(reply.content)).size
        assert 404 == ask(client, f"/_sandbox/{kind}/{taskid}/2").status_code
    assert 404 == ask(client, "/_sandbox/thumbs/other/0").status_code


def test_the_page_loads_nothing_from_elsewhere(client: SandboxClient) -> None:
    page = ask(client, "/")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    for name in ("style.css", "icon.svg", "app.js", "dom.js", "requests.js", "tasks.js", "words.js"):
        asset = ask(client, f"/_sandbox/{name}")
        assert (200, "nosniff") == (asset.status_code, asset.headers["x-content-type-options"])
        assert "https://" not in asset.text
        assert "http://" not in asset.text.replace("http://www.w3.org/2000/svg", "")
    assert "http" not in page.text


@pytest.mark.parametrize("path", ["/", "/_sandbox/state", "/_sandbox/app.js", "/_sandbox/thumbs/x/0"])
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1.evil.example:80", ""])
def test_another_host_name_is_refused(client: SandboxClient, path: str, host: str) -> None:
    """A web page that points a name of its own at this machine (DNS rebinding) learns nothing."""
    refused = ask(client, path, host=host)
    assert (403, "the Host header does not name this server") == (refused.status_code, refused.json()["error"])


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "LOCALHOST"])
def test_every_name_of_this_machine_is_taken(client: SandboxClient, name: str) -> None:
    port = client.sandbox.base_url.rpartition(":")[2]
    assert 200 == ask(client, "/_sandbox/state", host=f"{name}:{port}").status_code


@pytest.mark.parametrize(
    "headers", [{"origin": "https://evil.example"}, {"origin": "null"}, {"sec_fetch_site": "cross-site"}]
)
def test_another_site_changes_nothing(client: SandboxClient, headers: dict[str, str]) -> None:
    for method, path in (("POST", "reset"), ("POST", "credits?balance=1"), ("DELETE", "faults")):
        assert 403 == ask(client, f"/_sandbox/{path}", method, **headers).status_code
    assert 20 == client.sandbox.credits


@pytest.mark.parametrize(
    ("peer", "status"), [("127.0.0.1", 200), ("::1", 200), ("192.0.2.7", 403), ("fe80::1%eth0", 403)]
)
def test_only_this_machine_may_look(peer: str, status: int) -> None:
    url = "http://127.0.0.1:8645"
    inspector = Inspector(Sandbox().service, {"base_url": url, "images_url": url, "api_key": "k"}, url)
    reply = inspector.answer(Request("GET", "/_sandbox/state", headers=(("host", "127.0.0.1:8645"),), peer=peer))
    assert status == reply.status


@pytest.mark.parametrize("forwarded", ["192.0.2.7", "not an address"])
def test_the_address_of_the_client_is_taken_from_the_connection_not_from_a_header(
    client: SandboxClient, forwarded: str
) -> None:
    assert 200 == ask(client, "/_sandbox/state", x_forwarded_for=forwarded).status_code


def test_the_api_is_none_of_the_inspectors(client: SandboxClient) -> None:
    """Only ``/`` and what is below ``/_sandbox/``; the image host has no inspector at all."""
    assert not Inspector.handles("/v1/images/seedreamv45")
    assert not Inspector.handles("/_sandboxes")
    elsewhere = client.http.get(client.sandbox.images_url + "/_sandbox/state")
    assert "credits" not in elsewhere.text
    assert 200 != elsewhere.status_code
