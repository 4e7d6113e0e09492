"""A stand-in of the service for tests: real pictures, real failures, no cost.

::

    from seedream import SeeDream
    from seedream.sandbox import Sandbox

    with Sandbox() as sandbox, SeeDream(sandbox.api_key, base_url=sandbox.base_url) as client:
        client.generate("a lighthouse", output_dir="out")
        assert sandbox.charges[0].images == 1
"""

from seedream.sandbox._account import Charge
from seedream.sandbox._catalogue import KINDS
from seedream.sandbox._clock import ManualClock, SystemClock
from seedream.sandbox._fault import Fault, FaultError, parse_fault
from seedream.sandbox._plan import load_plan
from seedream.sandbox._record import RequestRecord
from seedream.sandbox._run import bill, run_server, usage
from seedream.sandbox._sandbox import CredentialLeak, Sandbox
from seedream.sandbox._settings import Settings

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
    "bill",
    "load_plan",
    "parse_fault",
    "run_server",
    "usage",
]
