"""The contract suite, for your own tests too: does a client, or a server, keep to the page?

::

    from seedream import AsyncSeeDream, SeeDream
    from seedream_testing.contract import awaiting, check_client, check_server

    def test_my_client() -> None:
        check_client(SeeDream)
        check_client(awaiting(AsyncSeeDream))

    def test_my_stand_in() -> None:
        check_server("http://127.0.0.1:8000", "sk-any-key")

A broken rule raises Violation: it names the check and the rule, with the vendor's sentence and a curl line.
Needs the extra ``testing``.
"""

from seedream_testing.contract.api_facts import Case, Page, Part, Verdict, text
from seedream_testing.contract.checks import Check
from seedream_testing.contract.client import CLIENT_CHECKS, awaiting, check_client
from seedream_testing.contract.decode import decode
from seedream_testing.contract.rule_text import HOUSE, sentence
from seedream_testing.contract.server import SERVER_CHECKS, check_server
from seedream_testing.contract.tables import from_tables
from seedream_testing.contract.violation import Sent, Violation

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
