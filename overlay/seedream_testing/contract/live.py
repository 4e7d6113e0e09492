"""`python -m seedream_testing.contract.live`: the server checks against a real service, those that cost nothing first.

Environment:
    TENSORSLAB_API_KEY: the key. TENSORSLAB_BASE_URL: the service; by default the spec's server.
    SEEDREAM_LIVE_BUDGET: how many pictures the run may pay for; by default none.

It ends at the first broken rule: a service that accepts what the page forbids may charge for it.
"""

import os
import sys
from collections.abc import Mapping
from typing import TextIO

from seedream._support.config import api_key, base_url
from seedream.errors import ConfigError

from seedream_testing.contract.server import SERVER_CHECKS, ServerUnderTest
from seedream_testing.contract.tables import from_tables
from seedream_testing.contract.violation import Violation

BUDGET = "SEEDREAM_LIVE_BUDGET"
_STRANGER = "sk-0000-no-account-has-this-key"
_PATIENCE = 600.0  # seconds: real pictures take their time


def main(environ: Mapping[str, str] = os.environ, out: TextIO = sys.stdout) -> int:
    """Run the checks.

    Returns:
        0 when all that were run hold, 1 when a rule is broken, 2 when the set-up is unusable.
    """
    try:
        key, url, left = api_key(None, environ), base_url(None, environ), _budget(environ)
    except ConfigError as error:
        out.write(f"{error}\n")
        return 2
    held = skipped = 0
    with ServerUnderTest(url, key, from_tables(), bad_key=_STRANGER, strict=False, patience=_PATIENCE) as server:
        for check in sorted(SERVER_CHECKS, key=lambda check: check.cost(server.facts)):
            cost = check.cost(server.facts)
            if cost > left:
                out.write(f"skipped  {check.name}: needs up to {cost} pictures, {left} are left\n")
                skipped += 1
                continue
            left -= cost
            try:
                check.run(server)
            except Violation as violation:
                out.write(f"BROKEN   {violation}\n")
                return 1
            out.write(f"holds    {check.name}: {check.proves}\n")
            held += 1
    out.write(f"{held} checks hold, {skipped} skipped ({BUDGET} sets how many pictures may be paid for)\n")
    return 0


def _budget(environ: Mapping[str, str]) -> int:
    told = environ.get(BUDGET, "0").strip()
    if not (told.isascii() and told.isdigit()):
        raise ConfigError(f"{BUDGET} is no number of pictures", hint=f"Give, for example, {BUDGET}=3.")
    return int(told)


if __name__ == "__main__":
    sys.exit(main())
