"""What the service does once a request is in order: makes tasks, charges for them, tells their state, deletes them."""

import hashlib
from typing import Any, Final

from tensorslab_images.rules import (
    CODE_MEANING_INSUFFICIENT_CREDITS,
    CODE_MEANING_SUCCESS,
    RES_TIER_VALUES,
    STATUS_MEANING_COMPLETED,
    STATUS_MEANING_FAILED,
)

from seedream_sandbox.account import Account
from seedream_sandbox.active_faults import Plan
from seedream_sandbox.fault import Fault, markers
from seedream_sandbox.fault_catalogue import Layer, Scope
from seedream_sandbox.handled_request import Arrival
from seedream_sandbox.http import Response, failure, reply
from seedream_sandbox.image_host import Signer
from seedream_sandbox.picture_size import picture_size
from seedream_sandbox.request_log import RequestRecord
from seedream_sandbox.settings import Settings
from seedream_sandbox.task import Task
from seedream_sandbox.task_store import Shelf
from seedream_sandbox.validate import Checked

Done = tuple[Response, list[Fault]]  # the reply, and the faults that came up with it
FILES: Final = "sourceImage"
SPOKEN: Final[frozenset[Layer]] = frozenset({"pace", "reply", "delivery"})
_TASK: Final[frozenset[Layer]] = frozenset({"task"})


class Desk:
    """The work itself. The service's lock guards it."""

    def __init__(self, settings: Settings, plan: Plan) -> None:
        self.account = Account(settings.credits, settings.price, settings.ledger_path)
        self.tasks = Shelf(settings.keep)
        self.signer = Signer(hashlib.sha256(f"sandbox/{settings.seed}".encode()).digest(), settings.lifetime)
        self._settings = settings
        self._plan = plan
        self._made = 0

    def submit(self, checked: Checked, copies: tuple[bytes, ...], record: RequestRecord, arrival: Arrival) -> Done:
        """Make a task and charge for it, if the balance covers it.

        Args:
            checked: The form.
            copies: Small copies of its source images.
            record: Of the request; noted in it is what came of it.
            arrival: Of the request.

        Raises:
            Refusal: The resolution is none.
        """
        prompt, images = checked.text("prompt"), int(checked.values.get("batchsize", 1))
        resolution = str(checked.values.get("resolution", RES_TIER_VALUES[0]))
        width, height = picture_size(resolution)
        marked = list(markers(prompt))
        now = [one for one in marked if one.at in ("submit", "any") and one.kind.layer in SPOKEN]
        if any(not one.billed for one in now):
            return failure("not processed, by the fault asked for"), now
        if not self.account.can_pay(images):
            record.verdict, record.rule = "refused", "CODE-MEANING"
            return failure("Insufficient credits", CODE_MEANING_INSUFFICIENT_CREDITS), now
        self._made += 1
        taskid = f"sb{self._made:06d}_{self._digest('/id')[:16]}"
        later = [one for one in (*marked, *arrival.asked) if one.at != "submit" or one.kind.layer == "task"]
        later += self._plan.strike("submit", arrival.ordinal, _TASK, prompt)
        task = Task(
            taskid, prompt, checked.text("category"), resolution, images, width, height, self._settings.clock.time(),
            int(self._digest()[:8], 16), copies, len(checked.files.get(FILES, ())), checked.values.get("imageUrl"),
            record.number, later,
        )  # fmt: skip
        self.tasks.add(task)
        self.account.charge(taskid, images, prompt, record.number, task.created)
        record.taskid, record.charged = taskid, images
        return _success({"taskid": taskid}, "Task created successfully"), now

    def query(self, taskid: str, images_url: str, record: RequestRecord) -> Done:
        """Tell the state of a task.

        Args:
            taskid: As given.
            images_url: Origin of the image host as the client reaches it.
            record: Of the request.
        """
        record.taskid = taskid[:200]
        task = self.tasks.get(taskid)
        if task is None or task.deleted or _lost(task):
            if task is not None:
                task.polled += 1
            record.verdict, record.rule = "refused", "TASK-ID"
            return failure("TASK-ID there is no such task"), []
        status = task.status(self._settings.pace, self._settings.clock.time())
        urls = self._urls(task, images_url) if status == STATUS_MEANING_COMPLETED else []
        told = next((one.text("msg") for one in task.faults if one.name == "task-fails"), "")
        task.polled += 1
        return _success(task.data(status, urls, told if status == STATUS_MEANING_FAILED else "")), attached(
            task, "query"
        )

    def delete(self, taskids: list[str]) -> Done:
        """Delete tasks; one that is not there is deleted already."""
        for taskid in taskids:
            if taskid in self.tasks:
                self.tasks[taskid].deleted = True
        return _success({"status": "Success"}), []

    def clear(self) -> None:
        """Forget tasks and charges. Ids go on, so that none comes twice."""
        self.tasks.clear()
        self.account.charges.clear()
        self.account.balance = self._settings.credits

    def _digest(self, kind: str = "") -> str:
        return hashlib.sha256(f"{self._settings.seed}/{self._made}{kind}".encode()).hexdigest()

    def _urls(self, task: Task, origin: str) -> list[str]:
        urls = [self.signer.url(origin, task, index, self._settings.clock.time()) for index in range(task.images)]
        for one in task.faults:
            if one.name == "no-urls" and task.polled < one.integer("polls"):
                urls = []
            elif one.name == "fewer-urls":
                urls = urls[: max(0, len(urls) - one.integer("missing"))]
            elif one.name == "bad-url":
                urls = [one.text("to")] * len(urls)
        return urls


def attached(task: Task, scope: Scope) -> list[Fault]:
    """The faults that a task carries and that strike this request for it."""
    found: list[Fault] = []
    for number, one in enumerate(task.faults):
        if one.kind.layer in SPOKEN and one.at in (scope, "any"):
            key = f"{number}/{scope}"
            task.seen[key] += 1
            if one.meets(task.seen[key], task.seen[f"{key}/used"], f"{task.seed}/{key}", task.prompt):
                task.seen[f"{key}/used"] += 1
                found.append(one)
    return found


def _lost(task: Task) -> bool:
    return any(one.name == "lost-task" and task.polled < one.integer("polls") for one in task.faults)


def _success(data: dict[str, Any], msg: str = "success") -> Response:
    return reply({"code": CODE_MEANING_SUCCESS, "msg": msg, "data": data})
