"""A fake of the service for tests: real pictures, real failures, no cost.

::

    from seedream import SeeDream
    from seedream_sandbox import Sandbox

    with Sandbox() as sandbox, SeeDream(sandbox.api_key, base_url=sandbox.base_url) as client:
        client.generate("a lighthouse", output_dir="out")
        assert sandbox.charges[0].images == 1
"""

from seedream_sandbox.clock import ManualClock, SystemClock
from seedream_sandbox.faults.catalogue import KINDS
from seedream_sandbox.faults.language import Fault, FaultError, load_plan, parse_fault
from seedream_sandbox.run import charges_summary, run_server, usage
from seedream_sandbox.sandbox import CredentialLeak, Sandbox
from seedream_sandbox.server.httpx_transport import Transport
from seedream_sandbox.service.account import Charge
from seedream_sandbox.service.request_log import RequestRecord
from seedream_sandbox.settings import Settings

__all__ = [
    "KINDS",
    "Charge",
    "CredentialLeak",
    "Fault",
    "FaultError",
    "ManualClock",
    "RequestRecord",
    "Sandbox",
    "Settings",
    "SystemClock",
    "Transport",
    "charges_summary",
    "load_plan",
    "parse_fault",
    "run_server",
    "usage",
]
