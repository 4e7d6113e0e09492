"""The contract suite: whether a server keeps to the vendor's page.

::

    from seedream_testing.contract import check_server

    def test_my_server() -> None:
        check_server("http://127.0.0.1:8000", "sk-any-key")

A broken rule raises Violation: it names the check and the rule, with the vendor's sentence and a curl line.
Needs the extra ``testing``. ``seedream contract`` runs the same from a command line.
"""

from seedream_testing.contract.allowances import Allowance, load_allowances
from seedream_testing.contract.api_facts import ApiFacts, Case, Part, Verdict, text
from seedream_testing.contract.check_server import check_server
from seedream_testing.contract.decode import decode
from seedream_testing.contract.relations import RELATIONS, Example, Need, Relation
from seedream_testing.contract.rule_text import PROJECT_RULES, sentence
from seedream_testing.contract.run import ContractResult, Outcome, State, Unreachable, run_contract
from seedream_testing.contract.server_under_test import ServerUnderTest
from seedream_testing.contract.tables import from_tables
from seedream_testing.contract.violation import Sent, Unobservable, Violation

__all__ = [
    "PROJECT_RULES",
    "RELATIONS",
    "Allowance",
    "ApiFacts",
    "Case",
    "ContractResult",
    "Example",
    "Need",
    "Outcome",
    "Part",
    "Relation",
    "Sent",
    "ServerUnderTest",
    "State",
    "Unobservable",
    "Unreachable",
    "Verdict",
    "Violation",
    "check_server",
    "decode",
    "from_tables",
    "load_allowances",
    "run_contract",
    "sentence",
    "text",
]
