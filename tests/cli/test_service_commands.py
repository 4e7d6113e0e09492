"""The sandbox, the contract run, extras and rules: what they are given, and what they say."""

import ssl
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest
from seedream.cli import extras, rule_text
from support.clients import KEY
from tensorslab_images.rules import RULES


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDREAM_LANG", "en")
    monkeypatch.setenv("COLUMNS", "200")


# Extras, the sandbox and the contract run.


def test_a_missing_library_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Callable[[str], None]:
        def load(_: str) -> None:
            raise ModuleNotFoundError("no", name=name)

        return load

    monkeypatch.setattr(extras, "import_module", missing("werkzeug.http"))
    with pytest.raises(extras.MissingExtra) as caught:
        extras.load_extra("seedream_sandbox", "sandbox")
    assert caught.value.exit_code == 2
    assert caught.value.message == (
        'werkzeug.http is not installed. Install the extra: pip install ".[sandbox]" in a clone, or '
        '"seedream[sandbox] @ file:///PATH/TO/THE.whl".'
    )
    for name in ("seedream.nothing", "seedream", None):
        monkeypatch.setattr(extras, "import_module", missing(name))  # type: ignore[arg-type]  # as importlib may
        with pytest.raises(ModuleNotFoundError):
            extras.load_extra("x", "x")


class Package:
    """The sandbox's package, of which a test keeps what it is asked."""

    FaultError = LookupError

    def __init__(self) -> None:
        cut = SimpleNamespace(name="cut", usage="cut nth=N", summary="Cuts.", options={"nth": "which"})
        self.KINDS = {"cut": cut}
        self.made: list[Any] = []
        self.fails: Exception | None = None
        self.start_fails: Exception | None = None
        self.base_url, self.images_url, self.api_key = "http://b", "http://i", "sk-play"

    def parse_fault(self, text: str) -> str:
        if text == "bad":
            raise LookupError("no such fault")
        return f"fault {text}"

    def load_plan(self, path: Path) -> list[str]:
        return [f"{path} 1", f"{path} 2"]

    def Sandbox(self, **given: Any) -> "Package":  # noqa: N802 -- the package's name
        if self.fails is not None:
            raise self.fails
        self.made.append(given)
        return self

    def start(self) -> None:
        if self.start_fails is not None:
            raise self.start_fails
        import warnings  # noqa: PLC0415 -- only here

        warnings.warn("not loopback", stacklevel=1)

    def run_server(self, stand_in: Any, say: Callable[[str], None], *, log: Any) -> None:
        say("listening")
        self.made.append(("run", stand_in is self, log is not None))


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> Package:
    made = Package()
    monkeypatch.setattr(
        "seedream.cli.sandbox.load_extra",
        lambda module, extra: made if (module, extra) == ("seedream_sandbox", "sandbox") else None,
    )
    return made


DEFAULTS: dict[str, Any] = {
    "credits": 1000, "faults": [], "port": 8645, "images_port": 0, "host": "127.0.0.1", "public_url": None,
    "public_images_url": None, "inspector": "local", "progress": None, "latency": None, "polls": 2,
    "pictures": "painted", "keys": (), "ledger_path": None,
}  # fmt: skip


def test_the_sandbox_gets_its_settings(cli: Any, package: Package) -> None:
    ran = cli("sandbox")
    made, run = package.made
    assert 0 <= made.pop("seed") < 2**32
    assert made == DEFAULTS
    assert run == ("run", True, True)
    assert (ran.code, ran.out, ran.err) == (0, "listening\n", "Warning: not loopback\n")
    package.made.clear()
    words = ["--port", "1", "--images-port", "2", "--host", "h", "--public-url", "p", "--public-images-url", "q",
             "--inspector", "off", "--credits", "0", "--seed", "5", "--progress", "time", "--latency", "3",
             "--polls", "0", "--pictures", "plain", "--key", "a", "--key", "b", "--fail", "x", "--fault", "y",
             "--faults", "f", "--ledger", "l", "--no-log", "--json"]  # fmt: skip
    ran = cli("sandbox", *words)
    assert package.made == [
        {"credits": 0, "seed": 5, "faults": ["fault x", "fault y", "f 1", "f 2"], "port": 1, "images_port": 2,
         "host": "h", "public_url": "p", "public_images_url": "q", "inspector": "off", "progress": "time",
         "latency": 3.0, "polls": 0, "pictures": "plain", "keys": ("a", "b"), "ledger_path": Path("l")},
        ("run", True, False),
    ]  # fmt: skip
    assert ran.document == {"base_url": "http://b", "images_url": "http://i", "api_key": "sk-play"}
    assert ran.err == "Warning: not loopback\nlistening\n"


def test_the_faults_of_the_sandbox_are_listed(cli: Any, package: Package) -> None:
    assert cli("sandbox", "--list-faults").out == "cut nth=N  Cuts.\n"
    assert cli("sandbox", "--list-faults", "--json").document == {
        "faults": {"cut": {"summary": "Cuts.", "options": {"nth": "which"}}}
    }
    assert package.made == []


@pytest.mark.parametrize(
    ("when", "error", "words", "code", "said"),
    [
        ("fails", OSError(13, "Denied", "led"), [], 4, "cannot use the file “led”: Denied."),
        ("fails", OSError(28, "Full"), ["--ledger", "l"], 4, "cannot use the file “l”: Full."),
        ("fails", ValueError("odd settings"), [], 2, "odd settings"),
        ("start_fails", OSError(98, "Address in use"), ["--port", "7"], 4,
         "cannot serve on “127.0.0.1” port 7: Address in use."),
        ("start_fails", OverflowError("too large"), [], 4, "cannot serve on “127.0.0.1” port 8645: too large."),
        ("", None, ["--fail", "bad"], 2, "Invalid value for '--fail' or '--faults': no such fault"),
        ("", None, ["--tls-cert", "nothing.pem"], 4, "cannot use the file “nothing.pem”: No such file or directory."),
        ("", None, ["--tls-cert", __file__, "--tls-key", "no.key"], 4,
         "cannot use the file “no.key”: No such file or directory."),
    ],
)  # fmt: skip
def test_a_sandbox_that_cannot_run(
    cli: Any, package: Package, when: str, error: Exception | None, words: list[str], code: int, said: str
) -> None:
    if when:
        setattr(package, when, error)
    ran = cli("sandbox", *words)
    assert (ran.code, f"Error: {said}" in ran.err) == (code, True), ran.err
    if code == 4:
        port = "Choose another with --host, --port or --images-port; port 0 takes a free one."
        assert (port if when == "start_fails" else "Choose another with --ledger, --tls-cert or --tls-key.") in ran.err


class Engine:
    """The contract's engine, of which a test keeps what it is asked."""

    class UsageFault(Exception):
        pass

    class Unreachable(Exception):
        pass

    def __init__(self) -> None:
        self.given: list[Any] = []
        self.result: Any = SimpleNamespace(failures=[])

    def run(self, url: str, key: str, **given: Any) -> Any:
        if isinstance(self.result, Exception):
            raise self.result
        self.given.append((url, key, given))
        given.pop("report")(f"checking {url} with {given['second_key']}")
        return self.result

    def summary(self, result: Any) -> list[str]:
        assert result is self.result
        return ["one line", "another"]

    def document(self, result: Any) -> Any:
        assert result is self.result
        return {"rules": 1}

    def relation_rows(self) -> Any:
        return [("a", "b")]

    def relation_documents(self) -> Any:
        return [{"id": "a"}]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    made = Engine()
    monkeypatch.setattr(
        "seedream.cli.contract.load_extra",
        lambda module, extra: made if (module, extra) == ("seedream_testing.contract.command", "testing") else None,
    )
    return made


NO_OPTIONS: dict[str, Any] = {
    "second_key": None, "no_credits_key": None, "budget": 0, "unlimited": False, "charges_url": None, "any_key": False,
    "only": (), "allow": (), "allow_file": None, "keep_going": False, "patience": 600.0, "junit": None, "html": None,
}  # fmt: skip


def test_a_contract_run_gets_its_options_and_hides_each_key(cli: Any, engine: Engine, tmp_path: Path) -> None:
    for name in ("second", "broke"):
        (tmp_path / name).write_text(f"sk-{name}-account")
    ran = cli("contract", "--base-url", "https://x.example/")
    assert engine.given == [("https://x.example", KEY, NO_OPTIONS)]
    assert (ran.code, ran.out, ran.err) == (0, "one line\nanother\n", "checking https://x.example with None\n")
    words = ["--budget", "5", "--unlimited", "--second-key-file", "second", "--no-credits-key-file", "broke",
             "--charges-url", "u", "--any-key", "--only", "A", "--only", "B", "--allow", "C=x", "--allow-file", "f",
             "--keep-going", "--patience", "0.1", "--junit", "j", "--html", "h", "--json"]  # fmt: skip
    engine.result.failures = [1]
    ran = cli("contract", *words, TENSORSLAB_BASE_URL="https://env.example")
    assert engine.given[1] == ("https://env.example", KEY, {
        "second_key": "sk-second-account", "no_credits_key": "sk-broke-account", "budget": 5, "unlimited": True,
        "charges_url": "u", "any_key": True, "only": ("A", "B"), "allow": ("C=x",), "allow_file": Path("f"),
        "keep_going": True, "patience": 0.1, "junit": Path("j"), "html": Path("h"),
    })  # fmt: skip
    assert (ran.code, ran.document) == (1, {"rules": 1})
    assert "sk-second-account" not in ran.err


def test_the_relations_are_listed_without_a_server(cli: Any, engine: Engine) -> None:
    assert cli("contract", "--list", TENSORSLAB_API_KEY=None).out == "a  b\n"
    assert cli("contract", "--list", "--json", TENSORSLAB_API_KEY=None).document == {"relations": [{"id": "a"}]}
    assert engine.given == []


@pytest.mark.parametrize(
    ("result", "code", "said"),
    [(Engine.UsageFault("two budgets"), 2, "Error: two budgets"), (Engine.Unreachable("down"), 4, "Error: down.")],
)
def test_a_contract_run_that_cannot_begin(cli: Any, engine: Engine, result: Exception, code: int, said: str) -> None:
    engine.result = result
    ran = cli("contract", "--base-url", "https://x.example")
    assert (ran.code, said in ran.err) == (code, True)
    assert code == 2 or "Start the server, or give another --base-url." in ran.err


@pytest.mark.parametrize(
    ("url", "plain", "taken"),
    [
        ("http://server:8000/", True, "http://server:8000"),
        ("http://server:8000/", False, None),
        ("https://server", True, "https://server"),
        ("http://u:p@server", True, None),
        ("http://server/?q", True, None),
        ("http://server/#f", True, None),
        ("http:///x", True, None),
        ("http://ser ver", True, None),
        ("http://127.0.0.1:1", False, "http://127.0.0.1:1"),
    ],
)
def test_plain_http_needs_a_word(cli: Any, engine: Engine, url: str, plain: bool, taken: str | None) -> None:
    ran = cli("contract", "--base-url", url, *(["--plain-http"] if plain else []))
    assert [given[0] for given in engine.given] == ([] if taken is None else [taken])
    assert ran.code == (4 if taken is None else 0)


def test_a_host_that_cannot_be_one_is_named(cli: Any, engine: Engine) -> None:
    ran = cli("contract", "--base-url", "http://ser ver", "--plain-http")
    assert engine.given == []
    assert ran.err.splitlines() == [
        "Error: the base URL “http://ser ver” is not an http URL.", "  do     Give, for example, http://server:8000.",
    ]  # fmt: skip


def test_a_sandbox_with_tls_loads_its_certificate_and_key(
    cli: Any, package: Package, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    certificate, key = tmp_path / "c", tmp_path / "k"
    for file in (certificate, key):
        file.touch()
    loaded: list[Any] = []
    context = SimpleNamespace(load_cert_chain=lambda *given: loaded.append(given))

    def make(purpose: ssl.Purpose) -> Any:
        assert purpose is ssl.Purpose.CLIENT_AUTH
        return context

    monkeypatch.setattr("seedream.cli.sandbox.ssl.create_default_context", make)
    for words, given in ((["--tls-key", str(key)], (certificate, key)), ([], (certificate, None))):
        assert cli("sandbox", "--tls-cert", str(certificate), *words).code == 0
        assert loaded.pop() == given
    assert package.made[0]["tls"] is context


# Rules.


@pytest.mark.parametrize("name", ["RES-PIXELS", " res_pixels ", "res pixels"])
def test_a_rule_is_found_whatever_its_spelling(name: str) -> None:
    assert rule_text.find_rule(name).id == "RES-PIXELS"


def test_a_rule_that_is_not_there_names_the_nearest() -> None:
    with pytest.raises(click.UsageError) as caught:
        rule_text.find_rule("RES-PIXEL")
    assert str(caught.value).startswith("there is no rule 'RES-PIXEL'. Did you mean RES-PIXELS")
    for name in ("", "qqqqqqqq"):
        with pytest.raises(click.UsageError) as caught:
            rule_text.find_rule(name)
        assert str(caught.value) == f"there is no rule {name!r}. The rules are {', '.join(RULES)}."
    assert rule_text.summary_and_sentence("NOT-A-RULE") == ("", "")
    assert (rule_text.pad("山", 4), rule_text.pad("abc", 2)) == ("山  ", "abc")
