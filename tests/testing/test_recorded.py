"""What each relation sends and says is what was recorded: a change of the table is meant, or it is found here.

``python -m testing.test_recorded`` (in ``tests``) records the table as it is; with the id of a relation it shows what
its examples send and find, one line each, to be compared with those of another edition.
"""

import hashlib
import json
import re
import secrets
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import httpx
import judge
import pytest
from contract.servers.memory_server import Lenient, MemoryServer
from contract.servers.serving import keys
from mutants.derived import Opposite, under_test
from seedream_testing.contract import RELATIONS, Example, Relation, Unobservable, Violation
from seedream_testing.contract.relations import spellings, texts, values

RECORDED: Final = Path(__file__).with_name("relations.txt")
MOST: Final = 25  # examples of a relation whose requests are answered in the opposite way
TOGETHER: Final = frozenset({"task.together"})  # which of several requests is answered so differs by chance
_BY_CHANCE: Final = re.compile(rb"[0-9a-f]{12,32}|[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}")
_PIXELS: Final = re.compile(rb"(?<=IDAT).*?(?=IEND)", re.DOTALL)  # as one machine's zlib packs them
_DEFAULTS: Final = frozenset(httpx.Client(trust_env=False).headers.multi_items())
_OF_HTTPX: Final = frozenset({"host", "content-length"})


class Promising(Opposite):
    """Refuses what the server refuses, but with the id of a task."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self.inner.handle_request(request)
        try:
            document = json.loads(response.content)
        except ValueError:
            return response
        if document.get("code") != judge.FACTS.failure:
            return response
        return httpx.Response(response.status_code, json={**document, "data": {"taskid": "promised"}})


def sent(request: httpx.Request) -> bytes:
    """One request without what differs by chance, or between editions of httpx, zlib and Unicode."""
    headers = [
        f"{name}: {value}"
        for name, value in request.headers.multi_items()
        if (name, value) not in _DEFAULTS and name not in _OF_HTTPX
    ]
    lines = [f"{request.method} {request.url}", *sorted(headers)]
    whole = "\n".join(lines).encode("utf-8", "surrogateescape") + b"\n\n" + _PIXELS.sub(b"", request.content)
    return _BY_CHANCE.sub(b"*", whole)


def numbers() -> Any:
    """Let ids and boundaries be the same in each run."""
    number = count()
    return patch.object(
        secrets, "token_hex", lambda size=32: hashlib.sha256(str(next(number)).encode()).hexdigest()[: 2 * size]
    )


def outcome(example: Example, transport: Opposite, service: MemoryServer, change: int | None) -> str:
    """Run an example; return its finding without the reply."""
    with numbers(), under_test(service, transport, judge.FACTS) as server:
        server.known_task()
        service.seen.clear()
        transport.start(change)
        try:
            example.run(server)
        except Violation as violation:
            what = re.split("; the reply was HTTP |does not fit the spec", violation.what)[0]
            found = f"{violation.rule}: {what} {'by' if violation.curl else 'without'} a request"
        except Unobservable as unseen:
            found = f"not visible: {unseen}"
        except Exception as error:  # noqa: BLE001 -- counts as a finding in a run
            found = type(error).__name__
        else:
            found = "held"
    return _BY_CHANCE.sub(b"*", found.encode("utf-8", "surrogateescape")).decode("utf-8", "replace")


def shown(relation: Relation) -> Iterator[str]:
    """Say of each example what it costs and needs, what it sends, and what it finds in opposite replies."""
    family = [one for one in relation.derive(judge.FACTS) if not one.name.startswith("U+")]
    step = max(len(family) // MOST, 1)
    for number, example in enumerate(family):
        service = MemoryServer(keys(), Lenient())
        transport = Opposite(service)
        held = outcome(example, transport, service, None)
        requests = [sent(request) for request in service.seen]
        if relation.id in TOGETHER:
            requests = sorted({one for one in requests if judge.FACTS.submit.encode() in one})
        needs = ", ".join(need.name for need in example.needs)
        digest = hashlib.sha256(b"\0".join(sorted(requests))).hexdigest()[:12]
        found = [held]
        if number % step == 0 and relation.id not in TOGETHER:
            for change in range(len(transport.seen)):
                other = MemoryServer(keys())
                found.append(outcome(example, Opposite(other), other, change))
            other = MemoryServer(keys())
            found.append(outcome(example, Promising(other), other, None))
        yield f"{example.name} | {example.images} | {needs} | {len(requests)} {digest} | {' / '.join(sorted(found))}"


def row(relation: Relation) -> str:
    """One relation in one line."""
    lines = list(shown(relation))
    digest = hashlib.sha256(chr(10).join(lines).encode()).hexdigest()[:16]
    return f"{relation.id} {relation.rule} {len(lines)} {digest}"


@pytest.mark.parametrize("relation", RELATIONS, ids=lambda relation: relation.id)
def test_a_relation_sends_and_says_what_was_recorded(relation: Relation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "SPELLINGS", tuple(spellings._spellings()))
    monkeypatch.setattr(texts, "CHANGES", tuple(texts._changes()))
    lines = {line.partition(" ")[0]: line for line in RECORDED.read_text("utf-8").splitlines()}
    assert row(relation) == lines[relation.id], f"see python -m testing.test_recorded {relation.id}"


if __name__ == "__main__":
    asked = set(sys.argv[1:])
    if asked:
        for one in RELATIONS:
            if one.id in asked:
                sys.stdout.writelines(f"{line}\n" for line in shown(one))
    else:
        RECORDED.write_text("".join(f"{row(one)}\n" for one in RELATIONS), "utf-8")
