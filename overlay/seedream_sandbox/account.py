"""Credits, and the ledger of charges: the judge of every test about money."""

import json
import os
from pathlib import Path
from typing import Any, Final

from attrs import asdict, frozen

_LONGEST: Final = 1000  # characters of a prompt: charges are kept for ever


@frozen
class Charge:
    """One charge: made when a submission is accepted.

    Attributes:
        number: Counts from 1.
        taskid: Of the task made.
        images: How many images were charged for.
        credits: Taken from the balance.
        prompt: Of the submission; a very long one is cut.
        request: Number of the request that caused it.
        at: Time by the sandbox's clock (seconds since 1970, UTC).
    """

    number: int
    taskid: str
    images: int
    credits: int
    prompt: str
    request: int
    at: float


class Account:
    """The balance and its charges. Not thread-safe by itself: the service's lock guards it.

    Args:
        balance: Credits at the start.
        price: Credits for one image.
        path: Each charge is also appended here, one JSON object a line, before its reply is sent.
    """

    def __init__(self, balance: int, price: int = 1, path: Path | None = None) -> None:
        self.balance = balance
        self.price = price
        self.charges: list[Charge] = []
        self._path = path
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()

    def can_pay(self, images: int) -> bool:
        """Whether the balance covers so many images."""
        return images * self.price <= self.balance

    def charge(self, taskid: str, images: int, prompt: str, request: int, at: float) -> Charge:
        """Take credits for images. The caller has asked ``can_pay``."""
        charge = Charge(len(self.charges) + 1, taskid, images, images * self.price, prompt[:_LONGEST], request, at)
        self.balance -= charge.credits
        self.charges.append(charge)
        if self._path is not None:
            self._append(asdict(charge))
        return charge

    def _append(self, record: dict[str, Any]) -> None:
        # One write to a file opened for appending: a line is there whole or not at all, also for other processes.
        line = json.dumps(record, ensure_ascii=False).encode(errors="surrogatepass") + b"\n"
        descriptor = os.open(str(self._path), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)
