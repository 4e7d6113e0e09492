"""The contract suite: whether a server keeps to the vendor's page.

::

    from seedream_testing.contract import check_server

    def test_my_server() -> None:
        check_server("http://127.0.0.1:8000", "sk-any-key")

A broken rule raises Violation: it names the check and the rule, with the vendor's sentence and a curl line.
Needs the extra ``testing``. ``seedream contract`` runs the same from a command line.
"""

from seedream_testing.contract.api_facts import ApiFacts, Case, Part, Verdict, text
from seedream_testing.contract.checks import Check
from seedream_testing.contract.decode import decode
from seedream_testing.contract.rule_text import PROJECT_RULES, sentence
from seedream_testing.contract.server import SERVER_CHECKS, ServerUnderTest, check_server
from seedream_testing.contract.tables import from_tables
from seedream_testing.contract.violation import Sent, Violation

__all__ = [
    "PROJECT_RULES",
    "SERVER_CHECKS",
    "ApiFacts",
    "Case",
    "Check",
    "Part",
    "Sent",
    "ServerUnderTest",
    "Verdict",
    "Violation",
    "check_server",
    "decode",
    "from_tables",
    "sentence",
    "text",
]
