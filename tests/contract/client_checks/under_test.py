"""What a check of a client works with: a factory of clients, the facts, and a server for each exchange."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Protocol

from attrs import frozen
from contract.client_checks.checks import Suite
from contract.recording_server import RecordingServer, ScriptedReply, envelope
from seedream.errors import SeeDreamError
from seedream_testing.contract.api_facts import ApiFacts
from seedream_testing.contract.violation import Sent, Violation
from support.clock import FakeClock

KEY: Final = "sk-contract-MARKER-0123456789"
TASK: Final = "abcd_1234567890abcdef"
Factory = Callable[..., Any]


class Client(Protocol):
    """What a client under test can do: the blocking face of SeeDream."""

    def submit(self, prompt: str, **options: Any) -> Any: ...
    def query(self, taskid: str) -> Any: ...
    def delete(self, *taskids: str) -> None: ...
    def generate(self, prompt: str, **options: Any) -> Any: ...
    def close(self) -> None: ...


@frozen
class ClientUnderTest:
    """A client's factory, called as ``factory(api_key=..., base_url=..., clock=...)``, and the page that judges it."""

    factory: Factory
    facts: ApiFacts

    @contextmanager
    def client(self, url: str, key: str = KEY) -> Generator[Any]:
        """A client for this address, closed at the end."""
        client = self.factory(api_key=key, base_url=url, clock=FakeClock())
        try:
            yield client
        finally:
            client.close()

    def accepted(self) -> ScriptedReply:
        """Return the page's own example of a good reply."""
        return envelope(self.facts.success, {"taskid": TASK}, "Task created successfully")

    def submit(self, options: Mapping[str, Any], answer: ScriptedReply | None = None) -> tuple[list[Sent], Any]:
        """Submit once; gives what arrived, and the task or the error."""
        with RecordingServer(answer or self.accepted()) as server, self.client(server.url) as client:
            result: Any
            try:
                result = client.submit(**options)
            except SeeDreamError as error:
                result = error
            return server.sent, result

    def one(self, options: Mapping[str, Any], rule: str) -> Sent:
        """Submit what is legal; gives the one request that arrived."""
        sent, result = self.submit(options)
        if isinstance(result, SeeDreamError) or len(sent) != 1:
            raise Violation(f"{short(options)} is legal, but {len(sent)} requests came, and {result!r}", rule=rule)
        return sent[0]


def short(options: Mapping[str, Any]) -> str:
    """Options for a message."""
    return ", ".join(f"{name}={value!r:.60}" for name, value in options.items())


SUITE: Final = Suite[ClientUnderTest]()
check = SUITE.check
