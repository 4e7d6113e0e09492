"""The service itself: submit, query, delete, pictures. A request goes in and a reply comes out; no sockets."""

import json
import re
import threading
from collections.abc import Callable
from typing import Final

from attrs import frozen
from tensorslab_images.limits import AUTH_HEADER, Operation
from tensorslab_images.rules import AUTH_HEADER_SCHEME

from seedream_sandbox.faults.active_faults import ActiveFaults
from seedream_sandbox.faults.catalogue import RESPONSE_LAYERS, Layer, Scope
from seedream_sandbox.faults.language import HEADER, Fault, FaultError, header_faults
from seedream_sandbox.faults.reply_faults import apply_reply_fault
from seedream_sandbox.http import Request, Response, deny, failure
from seedream_sandbox.pictures.image_cache import ImageCache
from seedream_sandbox.service import image_host
from seedream_sandbox.service.account import Account, owner
from seedream_sandbox.service.handled_request import OPERATIONS, HandledRequest, IncomingRequest, scope_of
from seedream_sandbox.service.multipart import SubmissionForm, read_form
from seedream_sandbox.service.operations import FILE_FIELD, ReplyAndFaults, TaskOperations
from seedream_sandbox.service.refusal import Refusal
from seedream_sandbox.service.request_log import RequestLog, RequestRecord
from seedream_sandbox.service.validate import check_form, check_json
from seedream_sandbox.settings import Settings
from seedream_sandbox.task import Task

_KEY: Final = re.compile(r"[\x21-\x7e]{1,500}")
_LOG_ROOM: Final = 16 * 1024 * 1024  # characters of all remembered requests together
_ARRIVAL: Final[frozenset[Layer]] = frozenset({"arrival"})
_CONNECT: Final[frozenset[Layer]] = frozenset({"connect"})


@frozen
class _Call:
    """One request, its record, what was decided before its body was read, and the form in the body of a submission."""

    request: Request
    record: RequestRecord
    incoming: IncomingRequest
    form: SubmissionForm


class Service:
    """The service. Thread-safe; pictures are painted outside its lock.

    Attributes:
        accounts: The balances and the charges.
        tasks: The tasks that are kept.
        on_record: Called with the record of each request once it is handled; must not block.

    Raises:
        OSError: The ledger file cannot be opened for appending.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = settings.clock
        self.lock = threading.RLock()
        self.faults = ActiveFaults(settings.seed, list(settings.faults))
        self.operations = TaskOperations(settings, self.faults)
        self.accounts, self.tasks = self.operations.accounts, self.operations.tasks
        self.requests = RequestLog(settings.keep, _LOG_ROOM)
        self.leaks: list[str] = []
        self.on_record: Callable[[RequestRecord], object] = lambda _: None
        self.images = ImageCache(settings.format)
        self._numbers = 0

    def reset(self) -> None:
        """Return to the start; only task ids and request numbers go on, so that none comes twice."""
        with self.lock:
            self.operations.reset()
            self.requests.clear()
            self.leaks.clear()
            self.faults.clear()
            for fault in self.settings.faults:
                self.faults.add(fault)

    def connection_fault(self) -> Fault | None:
        """Return the fault that acts on a new connection, if there is one."""
        with self.lock:
            found = self.faults.match("connect", self.faults.count("connect"), _CONNECT)
        return found[0] if found else None

    def receive(self, request: Request) -> IncomingRequest:
        """Decide about a request whose head has arrived and whose body has not been read."""
        scope = scope_of(request)
        try:
            requested, wrong = tuple(header_faults(request.header(HEADER))), ""
        except FaultError as error:
            requested, wrong = (), str(error)
        with self.lock:
            ordinal = self.faults.count(scope)
            early = [fault for fault in requested if fault.kind.layer == "arrival" and fault.at in (scope, "any")]
            early += self.faults.match(scope, ordinal, _ARRIVAL)
            if early and early[0].name != "slow-upload":
                record = self._record(request)
                record.verdict, record.faults = f"fault {early[0].name}", [early[0].name]
                self.on_record(record)
        return IncomingRequest(scope, ordinal, early[0] if early else None, requested, wrong)

    def handle(self, request: Request, incoming: IncomingRequest | None = None) -> HandledRequest:
        """Answer a whole request."""
        incoming = incoming or self.receive(request)
        if len(request.body) > self.settings.max_body:
            return HandledRequest(self.reject(request, "the request is too large", 413))
        form = read_form(request, FILE_FIELD) if incoming.scope == "submit" else SubmissionForm()
        with self.lock:
            call = _Call(request, self._record(request), incoming, form)
            if incoming.header_error:
                call.record.verdict = "refused"
                return self._handled(call.record, failure(f"{HEADER}: {incoming.header_error}", status=400))
            if not request.images:
                return self._answer(call)
            found = self._find_picture(call)
        if isinstance(found, HandledRequest):
            return found
        task, index, faults = found
        make = self.images.plain if self.settings.pictures == "plain" else self.images.picture
        picture = image_host.picture_reply(request, *make(task, index))
        with self.lock:
            return self._finish(call, picture, faults)

    def reject(self, request: Request, text: str, status: int) -> Response:
        """Return the reply to a request that is not read to its end, or cannot be read."""
        with self.lock:
            record = self._record(request)
            record.verdict = "refused"
            return self._handled(record, failure(text, status=status)).response

    def _record(self, request: Request) -> RequestRecord:
        self._numbers += 1
        host = "images" if request.images else "api"
        record = RequestRecord(
            self._numbers, self.clock.time(), request.method, request.path, host, request.masked_headers
        )
        record.body_size = len(request.body)
        self.requests.remember(record)
        return record

    def _handled(self, record: RequestRecord, response: Response, faults: tuple[Fault, ...] = ()) -> HandledRequest:
        record.status = response.status
        record.faults = [fault.name for fault in faults]
        shaping = [fault.name for fault in faults if fault.kind.layer == "reply"]
        if shaping:
            record.verdict = f"fault {shaping[0]}"
        try:
            envelope = json.loads(response.body) if record.host == "api" else None
        except ValueError:
            envelope = None
        if isinstance(envelope, dict):
            code = envelope.get("code")
            record.code = code if isinstance(code, int) else None
            if record.verdict == "refused":
                record.message = record.message or str(envelope.get("msg", ""))
        self.on_record(record)
        return HandledRequest(response, tuple(fault for fault in faults if fault.kind.layer in ("pace", "delivery")))

    # The API.

    def _answer(self, call: _Call) -> HandledRequest:
        request, record = call.request, call.record
        known = OPERATIONS.get(request.path)
        if known is None:
            record.verdict = "refused"
            return self._handled(record, failure(f"there is no path {request.path[:200]!r}", status=404))
        scope, operation = known
        method = operation.method.upper()
        if request.method != method:
            record.verdict = "refused"
            return self._handled(record, failure("method not allowed", status=405, headers={"allow": method}))
        before = self._faults_of(call, None, call.form.text("prompt") or self._prompt(request))
        instead = [fault for fault in before if not fault.billed and fault.kind.layer in ("reply", "delivery")]
        if scope == "submit" and instead:
            response = failure("not processed, because a fault asked for it")
            return self._finish(call, response, before)
        payer = self._payer(request)
        if isinstance(payer, Response):
            record.verdict, record.rule = "refused", "AUTH-HEADER"
            return self._finish(call, payer, before)
        record.account = payer[1].number
        try:
            response, later = self._perform(call, scope, operation, payer)
        except Refusal as refusal:
            record.verdict, record.rule, record.message = "refused", refusal.rule, refusal.message
            response, later = failure(refusal.message), []
        return self._finish(call, response, [*later, *before])

    def _payer(self, request: Request) -> tuple[str, Account] | Response:
        """Return whose request it is; a refusal when the key is absent or wrong.

        The vendor's code sends ``Bearer KEY`` and the page's scheme is the bare key: both are accepted (AUTH-HEADER).
        """
        scheme, _, key = (request.header(AUTH_HEADER.lower()) or "").strip().rpartition(" ")
        ours = not scheme or scheme.rstrip(" ").lower() == AUTH_HEADER_SCHEME.lower()
        if not ours or not _KEY.fullmatch(key) or key.lower() == AUTH_HEADER_SCHEME.lower():
            return failure(f"AUTH-HEADER no API key: send Authorization: {AUTH_HEADER_SCHEME} KEY", status=401)
        digest = owner(key)
        account = self.accounts.find(digest)
        return failure("wrong API key", status=401) if account is None else (digest, account)

    def _perform(self, call: _Call, scope: Scope, operation: Operation, payer: tuple[str, Account]) -> ReplyAndFaults:
        if scope == "submit":
            if call.form.error is not None:
                raise call.form.error
            self.requests.note(call.record, *call.form.content())
            valid = check_form(operation, call.form.parts)
            return self.operations.submit(valid, call.form.copies, call.record, call.incoming, payer)
        valid = check_json(operation, call.request.header("content-type"), call.request.body)
        self.requests.note(call.record, {name: [value] for name, value in valid.values.items()}, [])
        if scope == "delete":
            return self.operations.delete(valid.values["taskids"], payer[0])
        return self.operations.query(valid.text("taskid"), call.request.images_url, call.record, payer[0])

    # Faults.

    def _prompt(self, request: Request) -> str:
        """Return the prompt of the task that a query is about."""
        try:
            taskid = json.loads(request.body)["taskid"]
            return self.tasks[taskid].prompt
        except (ValueError, RecursionError, KeyError, TypeError):
            return ""

    def _faults_of(self, call: _Call, task: Task | None, prompt: str) -> list[Fault]:
        """Return the faults of header, task and plan that shape this reply; the first of a layer wins."""
        incoming = call.incoming
        by_header = [
            one for one in incoming.requested if one.kind.layer in RESPONSE_LAYERS and one.at in (incoming.scope, "any")
        ]
        by_task = task.reply_faults(incoming.scope) if task else []
        return [*by_header, *by_task, *self.faults.match(incoming.scope, incoming.ordinal, RESPONSE_LAYERS, prompt)]

    def _finish(self, call: _Call, response: Response, faults: list[Fault]) -> HandledRequest:
        chosen: dict[Layer, Fault] = {}
        for fault in faults:
            chosen.setdefault(fault.kind.layer, fault)
        if "reply" in chosen:
            before = [task for task in self.tasks if task != call.record.taskid]
            response = apply_reply_fault(chosen["reply"], call.request, response, before[-1] if before else "")
        return self._handled(call.record, response, tuple(chosen.values()))

    # The image host.

    def _find_picture(self, call: _Call) -> HandledRequest | tuple[Task, int, list[Fault]]:
        request, record = call.request, call.record
        leak = image_host.leaked(request)
        if leak:
            if len(self.leaks) < self.settings.keep:
                self.leaks.append(f"request {record.number} to the image host carried {leak}")
            record.message = f"CREDENTIAL LEAK: {leak} must never come here"
            record.verdict, record.rule = "refused", "RESULT-EXPIRY"
            return self._handled(record, deny(record.message, 400))
        if request.method not in ("GET", "HEAD"):
            record.verdict, record.message = "refused", "method not allowed"
            return self._handled(record, deny(record.message, 405))
        asked = image_host.picture_of(request.path)
        task = self.tasks.get(asked[0]) if asked else None
        refusal = self.operations.signer.refusal(request.path, request.query, self.clock.time()) if asked else ""
        if asked is None or task is None or task.deleted or asked[1] >= task.images:
            refusal = refusal or "no such picture"
        faults = self._faults_of(call, task, task.prompt if task else "")
        if refusal or task is None or asked is None:
            record.verdict, record.message = "refused", refusal
            status = 404 if refusal == "no such picture" else 403
            return self._finish(call, deny(refusal, status), faults)
        record.taskid = task.id
        return task, asked[1], faults
