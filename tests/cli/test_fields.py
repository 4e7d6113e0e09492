"""`--set` reads each kind of field that a spec can have, so a field of a later spec needs no code here."""

from pathlib import Path

import click
import facts
import pytest
from attrs import evolve
from seedream import InvalidRequest
from seedream._request import submission
from seedream.cli import field_options
from tensorslab_images.limits import SUBMIT, Field

LATER = (
    Field(name="hdMode", attribute="hd_mode", kind="boolean"),
    Field(name="strength", attribute="strength", kind="number", minimum=0, maximum=1),
    Field(name="seed", attribute="seed", kind="integer"),
    Field(name="tags", attribute="tags", kind="string", many=True, max_items=2),
    Field(name="style", attribute="style", kind="string", enum=("photo", "ink")),
    Field(name="maskImage", attribute="mask_image", kind="binary"),
    Field(name="extra", attribute="extra", kind="object"),
)


@pytest.fixture(autouse=True)
def _later_spec(monkeypatch: pytest.MonkeyPatch) -> None:
    """A spec of some later day."""
    names = {field.name for field in LATER}  # some may be in the spec by now
    later = evolve(SUBMIT, fields=tuple(field for field in SUBMIT.fields if field.name not in names) + LATER)
    monkeypatch.setattr(field_options, "SUBMIT", later)
    monkeypatch.setattr(submission, "_FIELDS", {field.attribute: field for field in later.fields})


def checked(*settings: str) -> submission.Submission:
    return submission.check_submit("x", field_options.read_settings(settings, taken=("prompt",)))


@pytest.mark.parametrize(
    ("setting", "name", "value"),
    [
        ("hdMode=true", "hdMode", True),
        ("hd_mode=No", "hdMode", False),
        ("strength=0.25", "strength", 0.25),
        ("strength=1e-1", "strength", 0.1),
        ("strength=1", "strength", 1.0),
        ("seed=-7", "seed", -7),
        ("style=ink", "style", "ink"),
        ("tags=a=b", "tags", ["a=b"]),
        (" batchsize =3", "batchsize", 3),
    ],
)
def test_text_becomes_what_the_field_asks_for(setting: str, name: str, value: object) -> None:
    assert value == checked(setting).values[name]
    assert type(value) is type(checked(setting).values[name])


def test_a_list_is_given_item_by_item() -> None:
    assert ["a", "b"] == checked("tags=a", "tags=b").values["tags"]


def test_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "mask.bin").write_bytes(b"mask")
    (mask,) = checked(f"maskImage={tmp_path / 'mask.bin'}").files["maskImage"]
    assert [b"mask"] == list(mask.chunks())


@pytest.mark.parametrize(
    "settings",
    [
        ("hdMode=maybe",),
        ("strength=2",),
        ("strength=nan",),
        ("strength=inf",),
        ("seed=1.0",),
        ("seed=1_000",),
        ("seed=" + "9" * 5000,),
        ("style=oil",),
        ("tags=a", "tags=b", "tags=c"),
        ("maskImage=no-such-file",),
        ("extra={}",),
        ("nothing=1",),
        ("seed=1", "seed=2"),
    ],
)
def test_what_the_field_cannot_hold_is_refused_by_name(settings: tuple[str, ...]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        checked(*settings)
    assert caught.value.problems[0].field


@pytest.mark.parametrize("setting", ["seed", "=1", ""])
def test_a_text_that_is_not_a_setting_is_a_usage_error(setting: str) -> None:
    with pytest.raises(click.BadParameter):
        field_options.read_settings((setting,))


def test_help_describes_the_limits_of_the_spec() -> None:
    assert f"{facts.FEWEST} to {facts.LARGEST}, default {facts.DEFAULTS['batchsize']}" == field_options.describe(
        "batchsize"
    )
    assert "0 to 1" == field_options.describe("strength")
    assert "photo, ink" == field_options.describe("style")
    assert "" == field_options.describe("gone")
