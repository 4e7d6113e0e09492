"""Credits, and the ledger of charges, which every test about money is held against."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from attrs import asdict, define, frozen

_LONGEST: Final = 1000  # characters of a prompt: charges are kept for ever


@frozen
class Charge:
    """One charge, made when a submission is accepted.

    Attributes:
        number: Counts from 1; continues over restarts with the same ledger file.
        taskid: Of the task made; unique in a ledger file.
        images: Number of images charged for.
        credits: Taken from the balance.
        prompt: Of the submission; a very long one is cut.
        request: Number of the request that caused it.
        at: Time by the sandbox's clock (seconds since 1970, UTC).
        account: Number of the account, from 1: the position of its key among those that the sandbox was given.
    """

    number: int
    taskid: str
    images: int
    credits: int
    prompt: str
    request: int
    at: float
    account: int = 1


@define
class Account:
    """One balance."""

    number: int  # counts from 1
    balance: int  # credits left
    start: int  # credits at the start


class Accounts:
    """The balances and their charges. Not thread-safe by itself: the service's lock guards it.

    Args:
        keys: Starting balance of each key that is accepted; empty: any key is, and all keys share one balance.
        balance: Starting balance of that shared account.
        price: Credits for one image.
        path: Ledger file, to which each charge is appended before its reply is sent.

    Raises:
        OSError: The ledger file cannot be opened for appending.
    """

    def __init__(self, keys: Mapping[str, int], balance: int, price: int = 1, path: Path | None = None) -> None:
        self.price = price
        self.charges: list[Charge] = []
        self._shared = None if keys else Account(1, balance, balance)
        self._by_owner = {
            owner(key): Account(number, start, start) for number, (key, start) in enumerate(keys.items(), start=1)
        }
        self._path = path
        self._made = 0 if path is None else _open_ledger(path)

    def __iter__(self) -> Iterator[Account]:
        return iter([self._shared] if self._shared is not None else self._by_owner.values())

    @property
    def next_number(self) -> int:
        """Number of the next charge."""
        return self._made + 1

    def find(self, owner: str) -> Account | None:
        """Return the account of a key's digest; None if the key is not accepted."""
        return self._shared or self._by_owner.get(owner)

    def can_pay(self, account: Account, images: int) -> bool:
        """Return whether the balance covers that many images."""
        return images * self.price <= account.balance

    def charge(self, account: Account, *, taskid: str, images: int, prompt: str, request: int, at: float) -> Charge:
        """Take credits for images. The caller has asked ``can_pay``.

        Raises:
            OSError: The ledger file cannot be written; nothing is charged.
        """
        charge = Charge(
            self.next_number, taskid, images, images * self.price, prompt[:_LONGEST], request, at, account.number
        )
        if self._path is not None:
            _append(self._path, asdict(charge))
        self._made += 1
        account.balance -= charge.credits
        self.charges.append(charge)
        return charge

    def reset(self) -> None:
        """Forget the charges and restore the balances; numbers go on."""
        self.charges.clear()
        for account in self:
            account.balance = account.start


def owner(key: str) -> str:
    """Return a digest of a key, so that the key itself is not kept."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _open_ledger(path: Path) -> int:
    """Create the ledger file if it is absent; return the number of charges that it holds already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as file:
        file.seek(0)
        lines, last = 0, b"\n"
        for line in file:
            lines, last = lines + 1, line
        if not last.endswith(b"\n"):  # the writer was killed in the middle of a line
            file.write(b"\n")
    return lines


def _append(path: Path, record: dict[str, Any]) -> None:
    # One write to a file opened for appending: other processes see the whole line or nothing of it.
    line = json.dumps(record, ensure_ascii=False).encode(errors="surrogatepass") + b"\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        before = os.fstat(descriptor).st_size
        if os.write(descriptor, line) != len(line):
            os.ftruncate(descriptor, before)
            raise OSError("the disk is full")
    finally:
        os.close(descriptor)
