"""Every row of the submissions' fault matrix with a journal: the right state, nothing secret in the file."""

from pathlib import Path

import pytest
from journal.support import lines
from seedream import errors
from seedream.journal import Journal
from support.clients import KEY, Both
from support.fault_matrix import LARGE, MATRIX, in_mid_body
from support.scripted_server import Action, ScriptedServer

# What each error leaves in the journal, typed by hand from the fault matrix of the reliability design.
LEAVES = {
    errors.InsufficientCredits: "planned",
    errors.AuthError: "planned",
    errors.RateLimited: "planned",
    errors.NotSent: "planned",
    errors.Rejected: "rejected",
    errors.ConfigError: "planned",
    errors.SubmissionUnknown: "unknown",
}


@pytest.mark.parametrize(
    ("action", "kind", "billing", "tries"), [row[1:] for row in MATRIX], ids=[row[0] for row in MATRIX]
)
def test_each_fault_leaves_its_state(
    both: Both, tmp_path: Path, action: Action, kind: type[errors.SeeDreamError], billing: str, tries: int
) -> None:
    path = tmp_path / "journal.sqlite"
    with ScriptedServer(action) as server, Journal(path, clock=lambda: 0.0) as journal:
        large = LARGE if action is in_mid_body else None
        with pytest.raises(kind):
            both.call(lambda client: client.submit("a fish", source_images=large), base_url=server.url, journal=journal)
        run = journal.find_run("calls")
        assert run is not None
        (job,) = journal.jobs(run.id)
        # What no operation answers at, or redirects, is a wrong address: the request can be sent to the right one.
        wrong_address = kind is errors.ConfigError or (job.message or "").count("404") > 0
        assert job.state == ("planned" if wrong_address else LEAVES[kind])
        assert (job.billing, job.attempt) == (billing, tries)  # one event a try: no try is hidden
        assert job.error == ("NotSent" if kind is errors.NotSent else kind.__name__)
        assert (job.spent > 0) == (billing != "no")
        written = lines(path)
    assert b"MARKER-signature" not in written
    assert KEY.encode() not in written
