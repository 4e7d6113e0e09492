"""How to test an application that uses seedream: copy, and put your own function in place of ``poster``."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from seedream import InsufficientCredits, SeeDream, SubmissionUnknown

if TYPE_CHECKING:
    from seedream_sandbox import Sandbox
    from seedream_testing.fixtures import AssertCharged, SeeDreamMock


def poster(title: str, folder: Path) -> Path:
    """Return the application: it makes a poster, and knows nothing of tests."""
    with SeeDream() as client:
        made = client.generate(f"a poster with the title {title}", batchsize=1, resolution="3:4", output_dir=folder)
    return made.files[0]


def test_a_poster_is_made(seedream_sandbox: "Sandbox", assert_charged: "AssertCharged", tmp_path: Path) -> None:
    """Over HTTP on loopback: SeeDream() finds the sandbox through the environment, here and in child processes."""
    picture = poster("Spring", tmp_path)
    with Image.open(picture) as image:
        assert image.size == (1728, 2304)
    assert seedream_sandbox.requests[0].fields["resolution"] == ["3:4"]
    assert_charged(1)


def test_without_a_socket(seedream_mock: "SeeDreamMock", assert_charged: "AssertCharged", tmp_path: Path) -> None:
    """The same service in process, in place of the vendor's host."""
    assert poster("Summer", tmp_path).exists()
    assert seedream_mock.requests[0].verdict == "accepted"
    assert_charged(1)


@pytest.mark.seedream(credits=0)
@pytest.mark.usefixtures("seedream_sandbox")
def test_out_of_credits(assert_charged: "AssertCharged", tmp_path: Path) -> None:
    with pytest.raises(InsufficientCredits):
        poster("Autumn", tmp_path)
    assert_charged(0)


@pytest.mark.seedream(faults=["cut-reply"])
@pytest.mark.usefixtures("seedream_sandbox")
def test_a_lost_reply_is_not_sent_again(assert_charged: "AssertCharged", tmp_path: Path) -> None:
    """The service did the work and charged for it, but its reply was lost: sending again would pay twice."""
    with pytest.raises(SubmissionUnknown):
        poster("Winter", tmp_path)
    assert_charged(1, submissions=1)
