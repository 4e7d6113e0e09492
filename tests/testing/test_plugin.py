"""The pytest plugin, as an application's tests see it: in a pytest of its own."""

import os
from collections.abc import Callable
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # typeshed lacks it

import pytest
from seedream_sandbox import Sandbox
from seedream_testing.block_network import block_network
from support.scripted_server import refusing_url

Run = Callable[..., pytest.RunResult]
BLOCKED = "seedream_block_network=true"
pytest_plugins = ["pytester"]


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a test file, in this process unless told otherwise; gives its outcomes and output."""

    def run_file(text: str, *options: str, apart: bool = False, **environment: str) -> pytest.RunResult:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        pytester.makepyfile(text)
        others = ("xdist", "randomly", "cacheprovider", "schemathesis", "timeout", "anyio", "hypothesispytest")
        plain = [word for name in others for word in ("-p", f"no:{name}")]
        if apart:
            return pytester.runpytest_subprocess(*plain, "-W", "error", *options, timeout=180)
        # What other tests left to be collected may be collected during this one.
        return pytester.runpytest_inprocess(*plain, "-p", "no:unraisableexception", "-W", "error", *options)

    return run_file


def test_the_plugin_loads_nothing_until_it_is_used(run: Run) -> None:
    run(
        """
        import sys

        def test_nothing_is_loaded(pytestconfig):
            assert "seedream_testing.plugin" in sys.modules
            heavy = {"seedream", "tensorslab_images", "httpx", "respx", "jsonschema_rs", "werkzeug", "PIL", "attrs"}
            assert set() == heavy & set(sys.modules)
        """,
        "-p", "no:respx", apart=True,
    ).assert_outcomes(passed=1)  # fmt: skip


_REACH = """
    import asyncio, socket, urllib.request, pytest

    HOSTS = ["api.tensorslab.com", "API.tensorslab.com.", "docs.tensorslab.com", b"tensorslab.com"]

    @pytest.mark.parametrize("host", HOSTS)
    def test_lookup(host):
        with pytest.raises(OSError, match="seedream_sandbox or seedream_mock"):
            socket.getaddrinfo(host, 443)

    def test_create_connection():
        with pytest.raises(OSError, match="real service"):
            socket.create_connection(("api.tensorslab.com", 443))

    def test_urllib():
        with pytest.raises(OSError, match="real service"):
            urllib.request.build_opener().open("http://api.tensorslab.com/")

    def test_asyncio():
        async def reach():
            await asyncio.open_connection("api.tensorslab.com", 443)
        with pytest.raises(OSError, match="real service"):
            asyncio.run(reach())

    def test_httpx():
        import httpx
        with pytest.raises(httpx.ConnectError, match="real service"):
            httpx.get("https://api.tensorslab.com/")

    def test_this_machine_and_lookalikes_are_not_blocked(monkeypatch):
        assert socket.getaddrinfo("127.0.0.1", 80)
        assert socket.getaddrinfo(None, 80)
        with pytest.raises(OSError) as other:
            socket.getaddrinfo("tensorslab.com.invalid", 80)
        assert "real service" not in str(other.value)
"""


def test_the_vendors_host_is_blocked_for_every_library(run: Run) -> None:
    run(_REACH, "-o", BLOCKED).assert_outcomes(passed=9)


def test_a_proxy_does_not_get_around_the_block(run: Run) -> None:
    """A proxy would look the host up by itself, so none is asked: not even one that is there."""
    proxy = "http://127.0.0.1:9"
    result = run(_REACH, "-o", BLOCKED, HTTP_PROXY=proxy, HTTPS_PROXY=proxy, ALL_PROXY=proxy, NO_PROXY="example.com")
    result.assert_outcomes(passed=9)


def test_the_block_can_be_lifted(run: Run) -> None:
    """Nothing is reached here: the lookup itself is replaced."""
    run(
        """
        import socket

        def test_lifted():
            assert "block_network" not in socket.getaddrinfo.__qualname__

        def test_of_the_fixture_too(block_seedream_network):
            assert "block_network" not in socket.getaddrinfo.__qualname__
        """,
        "--seedream-live", "-o", BLOCKED,
    ).assert_outcomes(passed=2)  # fmt: skip


def test_a_project_that_did_not_ask_is_left_as_it_is(run: Run) -> None:
    """Without the setting, neither the lookup nor the environment is changed."""
    run(
        """
        import os, socket, sys

        def test_untouched():
            assert "seedream_testing.block_network" not in sys.modules
            assert "getaddrinfo" == socket.getaddrinfo.__qualname__
            assert "example.com" == os.environ["NO_PROXY"]
        """,
        apart=True, NO_PROXY="example.com",
    ).assert_outcomes(passed=1)  # fmt: skip


def test_the_fixture_blocks_for_one_test(run: Run) -> None:
    run(
        """
        import socket, pytest

        def test_blocked(block_seedream_network):
            with pytest.raises(OSError, match="seedream_mock"):
                socket.getaddrinfo("api.tensorslab.com", 443)

        def test_open():
            assert "block_network" not in socket.getaddrinfo.__qualname__
        """
    ).assert_outcomes(passed=2)


def test_the_environment_is_as_before_afterwards(run: Run) -> None:
    run(
        """
        import os, pytest, socket
        from seedream_testing.block_network import block_network

        def test_taken_down(monkeypatch):
            monkeypatch.setenv("NO_PROXY", "example.com")
            monkeypatch.delenv("no_proxy", raising=False)
            before = socket.getaddrinfo
            with pytest.MonkeyPatch.context() as patch:
                block_network(patch)
                assert before is not socket.getaddrinfo
                assert "example.com,tensorslab.com" == os.environ["NO_PROXY"]
            assert (before, "example.com") == (socket.getaddrinfo, os.environ["NO_PROXY"])
            assert "no_proxy" not in os.environ
        """
    ).assert_outcomes(passed=1)


def test_assert_charged_fails_with_the_bill(run: Run) -> None:
    result = run(
        """
        from seedream import SeeDream

        def test_wrong_number(seedream_sandbox, assert_charged):
            with SeeDream() as client:
                client.submit("a boat", batchsize=3)
            assert_charged(2)

        def test_wrong_submissions(seedream_mock, assert_charged):
            with SeeDream() as client:
                client.submit("a boat", batchsize=3)
            assert_charged(3, submissions=2)

        def test_both(seedream_sandbox, seedream_mock, assert_charged):
            sandbox = seedream_sandbox  # respx lets nothing out, so it is asked in process
            with SeeDream(sandbox.api_key, base_url=sandbox.base_url, transport=sandbox.transport) as client:
                client.submit("a boat", batchsize=3)
            with SeeDream() as client:
                client.submit("a boat", batchsize=2)
            assert_charged(5, submissions=2)

        def test_nothing_to_ask(assert_charged):
            pass
        """
    )
    result.assert_outcomes(passed=1, failed=2, errors=1)
    result.stdout.fnmatch_lines_random(
        ["*charged were 3 images, not 2:*", "*3 for 'a boat' (*", "*charged were 1 submissions, not 2*"]
    )
    result.stdout.fnmatch_lines(["*assert_charged needs the fixture seedream_sandbox or seedream_mock*"])


def test_a_leaked_key_fails_the_test(run: Run) -> None:
    result = run(
        """
        import httpx
        from seedream import SeeDream

        def test_sandbox(seedream_sandbox):
            httpx.get(seedream_sandbox.images_url, headers={"Authorization": "Bearer x"})

        def test_mock(seedream_mock):
            with SeeDream() as client:
                task = client.submit("a boat")
                url = client.query(task.id).urls[0]
            httpx.get(url, headers={"Authorization": "Bearer x"})
        """
    )
    result.assert_outcomes(passed=2, errors=2)


def test_marks_set_the_service_up_and_the_nearest_decides(run: Run) -> None:
    run(
        """
        import pytest

        @pytest.mark.seedream(credits=7, seed=3)
        class TestMarks:
            def test_of_the_class(self, seedream_sandbox):
                assert (7, 3) == (seedream_sandbox.credits, seedream_sandbox.service.settings.seed)

            @pytest.mark.seedream(credits=2)
            def test_nearest(self, seedream_mock):
                assert (2, 3) == (seedream_mock.sandbox.credits, seedream_mock.sandbox.service.settings.seed)
        """,
        "--strict-markers",
    ).assert_outcomes(passed=2)


WRONG_MARKS = [
    ('("cut-reply")', "*takes settings by name*"),
    ('(faults=["cut-replly"])', "*did you mean 'cut-reply'*"),
    ('(fault=["cut-reply"])', "*unexpected keyword argument 'fault'*"),
    ('(credits="7")', "*'credits' must be <class 'int'>*"),
    ("(polls=-1)", "*'polls' must be >= 0*"),
]


def test_a_mark_with_a_mistake_fails_the_test_whatever_it_uses(run: Run) -> None:
    result = run(
        "import pytest\n"
        + "".join(
            f"@pytest.mark.seedream{mark}\ndef test_{number}({'seedream_sandbox' if number % 2 else ''}): pass\n"
            for number, (mark, _) in enumerate(WRONG_MARKS)
        )
    )
    result.assert_outcomes(errors=len(WRONG_MARKS))
    for _, message in WRONG_MARKS:
        result.stdout.fnmatch_lines([message])


@pytest.mark.parametrize("missing", ["respx", "werkzeug"])
def test_a_missing_extra_is_reported(run: Run, missing: str) -> None:
    result = run(
        f"""
        import sys
        sys.modules[{missing!r}] = None
        sys.modules.pop("seedream_testing.fixtures", None)  # another test may have imported it

        def test_sandbox(seedream_sandbox):
            pass

        def test_charges(seedream_mock, assert_charged):
            pass
        """,
        apart=missing == "werkzeug",
    )
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(['*pip install ".[[]testing]"*'])


def test_a_mark_with_a_positional_argument_is_refused(run: Run) -> None:
    """It would otherwise be ignored, and the test would pass for another reason than it says."""
    result = run(
        """
        import pytest

        @pytest.mark.seedream("cut-reply")
        def test_fault(seedream_sandbox):
            pass
        """
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*takes settings by name, not 'cut-reply'*"])


def test_a_server_is_checked_by_options(run: Run) -> None:
    with Sandbox(pictures="plain", keys=("sk-good-key-0000",)) as sandbox:
        options = ("--seedream-contract", sandbox.base_url, "--seedream-contract-budget", "9",
                   "--seedream-contract-only", "batchsize.each")  # fmt: skip
        result = run("def test_of_the_project(): raise KeyError", *options, TENSORSLAB_API_KEY="sk-good-key-0000")
        outcomes = result.parseoutcomes()
        assert outcomes["failed"] == 1  # the project's own
        assert outcomes["passed"] >= 8  # what is refused, and one, two and three images
        assert outcomes["skipped"] >= 10
        assert sum(charge.images for charge in sandbox.charges) <= 9
    with Sandbox(pictures="plain", keys=("sk-good-key-0000",), faults=["fewer-urls"]) as sandbox:
        options = ("--seedream-contract", sandbox.base_url, "--seedream-contract-budget", "3",
                   "--seedream-contract-only", "batchsize.each")  # fmt: skip
        failed = run("", *options, TENSORSLAB_API_KEY="sk-good-key-0000")
        assert failed.parseoutcomes()["failed"] >= 1
        failed.stdout.fnmatch_lines(["*SERVER-PICTURES*", "*curl -sS -X POST*"])
        allowed = run(
            "", *options, "--seedream-contract-allow", "batchsize.each=known", TENSORSLAB_API_KEY="sk-good-key-0000"
        )
        assert "failed" not in allowed.parseoutcomes()
        assert allowed.parseoutcomes()["xfailed"] >= 1
    keyless = run("", "--seedream-contract", "http://127.0.0.1:9", TENSORSLAB_API_KEY="")
    keyless.stderr.fnmatch_lines(["*needs the key*"])


def test_a_server_that_is_down_does_not_pass(run: Run) -> None:
    with refusing_url() as url:
        result = run("", "--seedream-contract", url, TENSORSLAB_API_KEY="sk-good-key-0000")
    assert (int(result.ret), result.parseoutcomes()) == (4, {})
    assert "cannot be reached" in result.stdout.str() + result.stderr.str()


NO_PROXIES: list[dict[str, str]] = [
    {}, {"NO_PROXY": "a.example"}, {"no_proxy": "a.example"}, {"NO_PROXY": "a.example", "no_proxy": "b.example"},
    {"NO_PROXY": ""}, {"no_proxy": ""}, {"NO_PROXY": "a.example", "no_proxy": ""},
    {"NO_PROXY": "", "no_proxy": "b.example,10.0.0.0/8"},
]  # fmt: skip


@pytest.mark.parametrize("given", NO_PROXIES, ids=str)
def test_no_spelling_of_no_proxy_leaves_the_vendors_host_to_a_proxy(
    given: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Programs differ in which spelling they read first, so each must name the host; what was named before stays so.
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    with pytest.MonkeyPatch.context() as patch:
        block_network(patch)
        for name in ("NO_PROXY", "no_proxy"):
            assert [*filter(None, given.get(name, "").split(",")), "tensorslab.com"] == os.environ[name].split(",")
            only = {"no": os.environ[name]}
            for host in ("tensorslab.com", "api.tensorslab.com", "cdn.api.tensorslab.com:443"):
                assert proxy_bypass_environment(host, only), (name, host)
            for host in ("nottensorslab.com", "tensorslab.com.example"):
                assert not proxy_bypass_environment(host, only), (name, host)
        assert proxy_bypass_environment("api.tensorslab.com"), "as urllib reads the environment"
        assert {key: value for key, value in os.environ.items() if key.lower() != "no_proxy"} == {
            key: value for key, value in before.items() if key.lower() != "no_proxy"
        }
    assert dict(os.environ) == before
