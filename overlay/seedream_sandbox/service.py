"""The service itself: submit, query, delete, pictures. No sockets: a request goes in, an answer comes out."""

import json
import re
import threading
from typing import Final

from tensorslab_images.limits import Operation
from tensorslab_images.rules import AUTH_HEADER_SCHEME

from seedream_sandbox import image_host
from seedream_sandbox.account import Account
from seedream_sandbox.active_faults import Plan
from seedream_sandbox.fault import HEADER, Fault, FaultError, from_header
from seedream_sandbox.fault_catalogue import Layer, Scope
from seedream_sandbox.form_fields import Form, read_form
from seedream_sandbox.handled_request import OPERATIONS, Answer, Arrival, scope_of
from seedream_sandbox.http import Request, Response, failure
from seedream_sandbox.image_cache import Gallery
from seedream_sandbox.multipart import MalformedForm
from seedream_sandbox.operations import FILES, SPOKEN, Desk, Done, attached
from seedream_sandbox.refusal import Refusal
from seedream_sandbox.reply_faults import damage
from seedream_sandbox.request_log import Log, RequestRecord
from seedream_sandbox.settings import Settings
from seedream_sandbox.task import Task
from seedream_sandbox.task_store import Shelf
from seedream_sandbox.validate import check_form, check_json

_KEY: Final = re.compile(r"[\x21-\x7e]{1,500}")
_ARRIVAL: Final[frozenset[Layer]] = frozenset({"arrival"})


class Service:
    """The service. Thread-safe; pictures are painted outside its lock."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = settings.clock
        self.lock = threading.RLock()
        self.plan = Plan(settings.seed)
        self.desk = Desk(settings, self.plan)
        self.requests = Log(settings.keep)
        self.leaks: list[str] = []
        for fault in settings.faults:
            self.plan.add(fault)
        self.gallery = Gallery(settings.format)
        self._numbers = 0

    @property
    def account(self) -> Account:
        """Balance and charges."""
        return self.desk.account

    @property
    def tasks(self) -> Shelf:
        """The tasks that are kept."""
        return self.desk.tasks

    def reset(self) -> None:
        """As at the start; only task ids and request numbers go on, so that none comes twice."""
        with self.lock:
            self.desk.clear()
            self.requests.clear()
            self.leaks.clear()
            self.plan.clear()
            for fault in self.settings.faults:
                self.plan.add(fault)

    def connect_fault(self) -> Fault | None:
        """The fault that meets a new connection, if any."""
        with self.lock:
            struck = self.plan.strike("connect", self.plan.count("connect"), frozenset({"connect"}))
        return struck[0] if struck else None

    def arrive(self, request: Request) -> Arrival:
        """Decide on a request whose head is there and whose body is not."""
        scope = scope_of(request)
        try:
            asked, wrong = tuple(from_header(request.header(HEADER))), ""
        except FaultError as error:
            asked, wrong = (), str(error)
        with self.lock:
            ordinal = self.plan.count(scope)
            early = [fault for fault in asked if fault.kind.layer == "arrival" and fault.at in (scope, "any")]
            early += self.plan.strike(scope, ordinal, _ARRIVAL)
            if early:
                record = self._record(request)
                record.verdict, record.faults = f"fault {early[0].name}", [early[0].name]
        return Arrival(scope, ordinal, early[0] if early else None, asked, wrong)

    def handle(self, request: Request, arrival: Arrival | None = None) -> Answer:
        """Answer a whole request."""
        arrival = arrival or self.arrive(request)
        if len(request.body) > self.settings.max_body:
            return Answer(self.dropped(request, "the request is too large", 413))
        form = read_form(request, FILES) if arrival.scope == "submit" else Form()
        with self.lock:
            record = self._record(request)
            if arrival.wrong:
                return self._answer(record, failure(f"{HEADER}: {arrival.wrong}", status=400))
            if not request.images:
                return self._api_answer(request, record, arrival, form)
            found = self._find_picture(request, record, arrival)
        if isinstance(found, Answer):
            return found
        task, index, faults = found
        make = self.gallery.plain if self.settings.pictures == "plain" else self.gallery.picture
        picture = image_host.picture_reply(request, *make(task, index))
        with self.lock:
            return self._finish(request, record, picture, faults)

    def dropped(self, request: Request, text: str, status: int) -> Response:
        """The reply to a request that is not read to its end."""
        with self.lock:
            record = self._record(request)
            record.verdict, record.message = "refused", text
            return self._answer(record, failure(text, status=status)).response

    def _record(self, request: Request) -> RequestRecord:
        self._numbers += 1
        host = "images" if request.images else "api"
        record = RequestRecord(
            self._numbers, self.clock.time(), request.method, request.path, host, request.masked_headers
        )
        record.body_size = len(request.body)
        self.requests.add(record)
        return record

    def _answer(self, record: RequestRecord, response: Response, faults: tuple[Fault, ...] = ()) -> Answer:
        record.status = response.status
        record.faults = [fault.name for fault in faults]
        spoken = [fault.name for fault in faults if fault.kind.layer == "reply"]
        if spoken:
            record.verdict = f"fault {spoken[0]}"
        try:
            envelope = json.loads(response.body) if record.host == "api" else None
        except ValueError:
            envelope = None
        if isinstance(envelope, dict):
            code = envelope.get("code")
            record.code = code if isinstance(code, int) else None
        return Answer(response, tuple(fault for fault in faults if fault.kind.layer in ("pace", "delivery")))

    # The API.

    def _api_answer(self, request: Request, record: RequestRecord, arrival: Arrival, form: Form) -> Answer:
        known = OPERATIONS.get(request.path)
        if known is None:
            record.verdict = "refused"
            return self._answer(record, failure(f"there is no path {request.path[:200]!r}", status=404))
        scope, operation = known
        if request.method != operation.method.upper():
            record.verdict = "refused"
            return self._answer(
                record, failure("method not allowed", status=405, headers={"allow": operation.method.upper()})
            )
        before = self._struck(arrival, None, form.text("prompt") or self._prompt(request))
        instead = [fault for fault in before if not fault.billed and fault.kind.layer in ("reply", "delivery")]
        if scope == "submit" and instead:
            response = failure("not processed, by the fault asked for")
            return self._finish(request, record, response, before)
        refused = self._check_key(request)
        if refused is not None:
            record.verdict, record.rule, record.message = "refused", "AUTH-HEADER", "key"
            return self._finish(request, record, refused, before)
        try:
            response, later = self._work(known, request, record, arrival, form)
        except Refusal as refusal:
            record.verdict, record.rule, record.message = "refused", refusal.rule, refusal.message
            response, later = failure(refusal.message), []
        except MalformedForm as error:
            record.verdict, record.rule, record.message = "refused", "SCHEMA", str(error)
            response, later = failure(f"SCHEMA the body is not a form: {error}."), []
        return self._finish(request, record, response, [*later, *before])

    def _check_key(self, request: Request) -> Response | None:
        """The vendor's code sends ``Bearer KEY``, the page's scheme is the bare key: both are taken (AUTH-HEADER)."""
        scheme, _, key = (request.header("authorization") or "").strip().rpartition(" ")
        ours = not scheme or scheme.lower() == AUTH_HEADER_SCHEME.lower()
        if ours and _KEY.fullmatch(key) and key.lower() != AUTH_HEADER_SCHEME.lower():
            return None if not self.settings.keys or key in self.settings.keys else failure("wrong API key", status=401)
        return failure(f"AUTH-HEADER no API key: send Authorization: {AUTH_HEADER_SCHEME} KEY", status=401)

    def _work(
        self, known: tuple[Scope, Operation], request: Request, record: RequestRecord, arrival: Arrival, form: Form
    ) -> Done:
        scope, operation = known
        if scope == "submit":
            if form.error is not None:
                raise form.error
            self.requests.note(record, *form.content())
            return self.desk.submit(check_form(operation, form.parts), form.copies, record, arrival)
        checked = check_json(operation, request.header("content-type"), request.body)
        self.requests.note(record, {name: [value] for name, value in checked.values.items()}, [])
        if scope == "delete":
            return self.desk.delete(checked.values["taskids"])
        return self.desk.query(checked.text("taskid"), request.images_url, record)

    # Faults.

    def _prompt(self, request: Request) -> str:
        """The prompt of the task that a query is about."""
        try:
            taskid = json.loads(request.body)["taskid"]
            return self.tasks[taskid].prompt
        except (ValueError, RecursionError, KeyError, TypeError):
            return ""

    def _struck(self, arrival: Arrival, task: Task | None, prompt: str) -> list[Fault]:
        """The faults of header, task and plan that shape this reply; the first of a layer wins."""
        by_header = [one for one in arrival.asked if one.kind.layer in SPOKEN and one.at in (arrival.scope, "any")]
        by_task = attached(task, arrival.scope) if task else []
        return [*by_header, *by_task, *self.plan.strike(arrival.scope, arrival.ordinal, SPOKEN, prompt)]

    def _finish(self, request: Request, record: RequestRecord, response: Response, faults: list[Fault]) -> Answer:
        chosen: dict[Layer, Fault] = {}
        for fault in faults:
            chosen.setdefault(fault.kind.layer, fault)
        if "reply" in chosen:
            before = [task for task in self.tasks if task != record.taskid]
            response = damage(chosen["reply"], request, response, before[-1] if before else "")
        return self._answer(record, response, tuple(chosen.values()))

    # The image host.

    def _find_picture(
        self, request: Request, record: RequestRecord, arrival: Arrival
    ) -> Answer | tuple[Task, int, list[Fault]]:
        leak = image_host.leaked(request)
        if leak:
            self.leaks.append(f"request {record.number} to the image host carried {leak}")
            record.verdict, record.rule = "refused", "RESULT-EXPIRY"
            return self._answer(record, image_host.deny(f"CREDENTIAL LEAK: {leak} must never come here", 400))
        if request.method not in ("GET", "HEAD"):
            record.verdict = "refused"
            return self._answer(record, image_host.deny("method not allowed", 405))
        asked = image_host.place(request.path)
        task = self.tasks.get(asked[0]) if asked else None
        refusal = self.desk.signer.refusal(request.path, request.query, self.clock.time()) if asked else ""
        if asked is None or task is None or task.deleted or asked[1] >= task.images:
            refusal = refusal or "no such picture"
        faults = self._struck(arrival, task, task.prompt if task else "")
        if refusal or task is None or asked is None:
            record.verdict, record.message = "refused", refusal
            status = 404 if refusal == "no such picture" else 403
            return self._finish(request, record, image_host.deny(refusal, status), faults)
        record.taskid = task.id
        return task, asked[1], faults
