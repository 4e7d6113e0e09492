"""The contract suite, for your own tests too: does a client, or a server, keep to the page?

::

    from seedream import AsyncSeeDream, SeeDream
    from seedream.contract import awaiting, check_client, check_server

    def test_my_client() -> None:
        check_client(SeeDream)
        check_client(awaiting(AsyncSeeDream))

    def test_my_stand_in() -> None:
        check_server("http://127.0.0.1:8000", "sk-any-key")

A broken rule raises Violation: it names the check and the rule, with the vendor's sentence and a curl line.
Needs the extra ``testing``.
"""

from seedream.contract._checks import Check
from seedream.contract._decode import decode
from seedream.contract._page import Case, Page, Part, Verdict, text
from seedream.contract._rules import HOUSE, sentence
from seedream.contract._tables import from_tables
from seedream.contract._violation import Sent, Violation
from seedream.contract.client import CLIENT_CHECKS, awaiting, check_client
from seedream.contract.server import SERVER_CHECKS, check_server

__all__ = [
    "CLIENT_CHECKS",
    "HOUSE",
    "SERVER_CHECKS",
    "Case",
    "Check",
    "Page",
    "Part",
    "Sent",
    "Verdict",
    "Violation",
    "awaiting",
    "check_client",
    "check_server",
    "decode",
    "from_tables",
    "sentence",
    "text",
]
