"""What the service does with a valid request: makes tasks, charges for them, reports their state, deletes them."""

import hashlib
from typing import Any, Final

from tensorslab_images.rules import (
    CODE_MEANING_INSUFFICIENT_CREDITS,
    CODE_MEANING_SUCCESS,
    RES_TIER_VALUES,
    STATUS_MEANING_COMPLETED,
    STATUS_MEANING_FAILED,
)

from seedream_sandbox.bounded import Bounded
from seedream_sandbox.faults.active_faults import ActiveFaults
from seedream_sandbox.faults.catalogue import RESPONSE_LAYERS, Layer
from seedream_sandbox.faults.language import Fault, prompt_faults
from seedream_sandbox.http import Response, failure, reply
from seedream_sandbox.service.account import Account, Accounts
from seedream_sandbox.service.handled_request import IncomingRequest
from seedream_sandbox.service.image_host import Signer
from seedream_sandbox.service.request_log import RequestRecord
from seedream_sandbox.service.resolution import picture_size
from seedream_sandbox.service.validate import ValidRequest
from seedream_sandbox.settings import Settings
from seedream_sandbox.task import Task

ReplyAndFaults = tuple[Response, list[Fault]]
FILE_FIELD: Final = "sourceImage"
_ROOM: Final = 64 * 1024 * 1024  # bytes, about, of all tasks together
_TASK: Final[frozenset[Layer]] = frozenset({"task"})


class TaskOperations:
    """Submit, query and delete. The service's lock guards it."""

    def __init__(self, settings: Settings, faults: ActiveFaults) -> None:
        self.accounts = Accounts(settings.balances, settings.credits, settings.price, settings.ledger_path)
        self.tasks: Bounded[str, Task] = Bounded(settings.keep, _ROOM)
        self.signer = Signer(hashlib.sha256(f"sandbox/{settings.seed}".encode()).digest(), settings.lifetime)
        self._settings = settings
        self._faults = faults

    def submit(
        self,
        valid: ValidRequest,
        copies: tuple[bytes, ...],
        record: RequestRecord,
        incoming: IncomingRequest,
        payer: tuple[str, Account],
    ) -> ReplyAndFaults:
        """Make a task and charge for it, if the balance covers it; note in the record what came of it.

        ``copies`` are small copies of its source images; the payer is the owner of the task, and the account.

        Raises:
            Refusal: The resolution is not one.
        """
        owner, account = payer
        prompt, images = valid.text("prompt"), int(valid.values.get("batchsize", 1))
        resolution = str(valid.values.get("resolution", RES_TIER_VALUES[0]))
        width, height = picture_size(resolution)
        marked = list(prompt_faults(prompt))
        now = [one for one in marked if one.at in ("submit", "any") and one.kind.layer in RESPONSE_LAYERS]
        if any(not one.billed and one.kind.layer != "pace" for one in now):
            return failure("not processed, because a fault asked for it"), now
        if not self.accounts.can_pay(account, images):
            record.verdict, record.rule = "refused", "CODE-MEANING"
            return failure("Insufficient credits", CODE_MEANING_INSUFFICIENT_CREDITS), now
        number = self.accounts.next_number
        taskid = f"sb{number:06d}_{self._digest(number, valid)[:16]}"
        created = self._settings.clock.time()
        try:
            self.accounts.charge(
                account, taskid=taskid, images=images, prompt=prompt, request=record.number, at=created
            )
        except OSError as error:
            record.verdict, record.message = "refused", f"the ledger file cannot be written: {error.strerror or error}"
            return failure(record.message), now
        later = [one for one in (*marked, *incoming.requested) if one.at != "submit" or one.kind.layer == "task"]
        later += self._faults.match("submit", incoming.ordinal, _TASK, prompt)
        seed = int(hashlib.sha256(f"{self._settings.seed}/{number}".encode()).hexdigest()[:8], 16)
        task = Task(
            taskid, prompt, valid.text("category"), resolution, images, width, height, created, seed, owner, copies,
            len(valid.files.get(FILE_FIELD, ())), valid.values.get("imageUrl"), record.number,
            ActiveFaults(seed, later),
        )  # fmt: skip
        self.tasks.add(taskid, task, task.weight)
        record.taskid, record.charged = taskid, images
        return _success({"taskid": taskid}, "Task created successfully"), now

    def query(self, taskid: str, images_url: str, record: RequestRecord, owner: str) -> ReplyAndFaults:
        """Report the state of a task, with its pictures at ``images_url``. Another owner's task does not exist."""
        record.taskid = taskid[:200]
        task = self.tasks.get(taskid)
        if task is None or task.owner != owner or task.deleted or _lost(task):
            if task is not None and task.owner == owner:
                task.polled += 1
            record.verdict, record.rule = "refused", "TASK-ID"
            return failure("TASK-ID there is no such task"), []
        status = task.status(self._settings.progress_rule, self._settings.clock.time())
        urls = self._urls(task, images_url) if status == STATUS_MEANING_COMPLETED else []
        reason = next((one["msg"] for one in task.faults if one.name == "task-fails"), "")
        task.polled += 1
        data = task.data(status, urls, reason if status == STATUS_MEANING_FAILED else "")
        return _success(data), task.reply_faults("query")

    def delete(self, taskids: list[str], owner: str) -> ReplyAndFaults:
        """Delete a key's own tasks; an id that names none of them is deleted already."""
        for taskid in taskids:
            task = self.tasks.get(taskid)
            if task is not None and task.owner == owner:
                task.deleted = True
        return _success({"status": "Success"}), []

    def reset(self) -> None:
        """Forget tasks and charges. Task ids go on, so that none comes twice."""
        self.tasks.clear()
        self.accounts.reset()

    def _digest(self, number: int, valid: ValidRequest) -> str:
        """Return a digest of the seed, the task's number and all that decides its pictures.

        Another prompt gives another id even with the same seed, so that a client which finds a file of that name does
        not take an earlier picture for the new one.
        """
        settings = self._settings
        digest = hashlib.sha256(f"{settings.seed}/{number}/{settings.pictures}/{settings.format}".encode())
        for name, value in sorted(valid.values.items()):
            digest.update(f"/{name}={value!r}".encode())
        for part in valid.files.get(FILE_FIELD, ()):
            digest.update(hashlib.sha256(part.content).digest())
        return digest.hexdigest()

    def _urls(self, task: Task, origin: str) -> list[str]:
        urls = [self.signer.url(origin, task, index, self._settings.clock.time()) for index in range(task.images)]
        for one in task.faults:
            if one.name == "no-urls" and task.polled < one["polls"]:
                urls = []
            elif one.name == "fewer-urls":
                urls = urls[: max(0, len(urls) - one["missing"])]
            elif one.name == "bad-url":
                urls = [one["to"]] * len(urls)
            elif one.name == "many-urls":
                target, count = one["to"], min(one["count"], 1_000_000)
                urls = [urls[index % len(urls)] if target == "pictures" else target for index in range(count) if urls]
        return urls


def _lost(task: Task) -> bool:
    return any(one.name == "lost-task" and task.polled < one["polls"] for one in task.faults)


def _success(data: dict[str, Any], msg: str = "success") -> Response:
    return reply({"code": CODE_MEANING_SUCCESS, "msg": msg, "data": data})
