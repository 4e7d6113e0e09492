"""The service: its configuration, and one request to it."""

import random
from collections.abc import Callable

from attrs import evolve, field, frozen
from tensorslab_images.limits import AUTH_HEADER
from tensorslab_images.rules import AUTH_HEADER_SCHEME, CODE_MEANING_SUCCESS

from seedream._protocol.effects import Failure, Reply, Request, Workflow
from seedream._protocol.exchange import exchange
from seedream._protocol.outcome import OK
from seedream._protocol.replies import Envelope, read_envelope
from seedream._protocol.retry import RetryPolicy
from seedream._request.encode import EncodedRequest
from seedream._support.server_text import holds_secret
from seedream._support.timing import RequestKind, Timeouts


@frozen
class ApiConfig:
    """Where and how to send requests: plain configuration, shared by all workflows.

    Attributes:
        base_url: Without a slash at its end.
        key: The API key.
        local: Whether the service is on this machine, so that its pictures may be too.
        timeouts: Seconds for each phase of an exchange.
        retry: How long to go on with what is safe to try again.
        now: Gives the seconds since the epoch.
        random: Gives a number from 0 to 1, for jitter.
    """

    base_url: str
    key: str = field(repr=False)
    local: bool
    timeouts: Timeouts
    retry: RetryPolicy
    now: Callable[[], float] = field(repr=False)
    random: Callable[[], float] = field(default=random.random, repr=False)


@frozen
class Answer:
    """What came of one request: the reply or the failure, and what could be read of the reply's body."""

    outcome: Reply | Failure
    envelope: Envelope

    @property
    def succeeded(self) -> bool:
        return (
            isinstance(self.outcome, Reply) and self.outcome.status in OK and self.envelope.code == CODE_MEANING_SUCCESS
        )


def send(
    api: ApiConfig,
    encoded: EncodedRequest,
    kind: RequestKind,
    *,
    before_send: Callable[[], None] | None = None,
    total_timeout: float | None = None,
) -> Workflow[Answer]:
    """Send an API request, with the key, to the API host only."""
    request = Request(
        encoded.method,
        api.base_url + encoded.path,
        {**encoded.headers, AUTH_HEADER: f"{AUTH_HEADER_SCHEME} {api.key}"},  # in no variable that a traceback shows
        encoded.body,
    )
    outcome = yield from exchange(request, kind, before_send=before_send, total_timeout=total_timeout)
    reply = outcome.reply if isinstance(outcome, Failure) else outcome
    envelope = read_envelope(reply.body) if reply else Envelope()
    if envelope.taskid is not None and holds_secret(envelope.taskid, api.key):
        envelope = evolve(envelope, taskid=None)  # an echo of the key: an id goes into journals, file names and logs
    return Answer(outcome, envelope)
