"""docs/bulk.md and docs/reliability.md say what the code does."""

import re
from pathlib import Path

import click
from attrs import fields
from chaos.__main__ import CUTS, DAMAGES, FILLS, INTERRUPTS, KILLS
from seedream.bulk import BulkOptions
from seedream.bulk.columns import _OPTIONS, ID
from seedream.bulk.gallery import _EMBEDDED
from seedream.cli import exit_codes
from seedream.cli.bulk import bulk
from seedream.cli.bulk_report import _EXITS, _REMAINING
from seedream.journal import STATES

DOCS = Path(__file__).resolve().parents[2] / "docs"
BULK = (DOCS / "bulk.md").read_text("utf-8")
RELIABILITY = (DOCS / "reliability.md").read_text("utf-8")


def test_every_exit_code_has_its_row_and_no_other() -> None:
    rows = {int(code) for code in re.findall(r"^\| (\d+) \|", BULK, re.MULTILINE)}
    used = {one.code for one in _EXITS.values()} | {one.code for _, one in _REMAINING}
    assert rows == used | {exit_codes.OK.code, exit_codes.USAGE.code, exit_codes.INVALID.code}


def test_every_setting_has_its_row_with_its_default() -> None:
    run = bulk.commands["run"]
    rows = dict(re.findall(r"^\| `(--[a-z-]+)` \| .* \| (.*) \|$", BULK, re.MULTILINE))
    settings = {field.name for field in fields(BulkOptions)} - {"downloads", "patience", "max_bytes", "as_planned"}
    options = {option.opts[0]: option for option in run.params if isinstance(option, click.Option)}
    assert set(rows) == {name for name, option in options.items() if option.name in settings}
    defaults = {field.name: field.default for field in fields(BulkOptions)}
    for name, documented in rows.items():
        default = defaults[str(options[name].name)]
        words = {None: "no limit", False: "off"}
        assert documented == (words.get(default) or f"{default:g}"), name


def test_every_documented_command_and_option_exists() -> None:
    for line in re.findall(r"^\$ seedream bulk (.*)$", BULK, re.MULTILINE):
        command, *words = line.partition("#")[0].split()
        known = {name for option in bulk.commands[command].params for name in option.opts}
        assert {word for word in words if word.startswith("--")} <= known, line
    assert set(bulk.commands) <= set(re.findall(r"bulk ([a-z]+)", BULK)) | {"run"}


def test_every_documented_column_exists() -> None:
    table = BULK.partition("| column | meaning |")[2].partition("\n\n")[0]
    names = set(re.findall(r"`([a-z_]+)`", "".join(line.split("|")[1] for line in table.splitlines() if "|" in line)))
    assert names <= {*_OPTIONS, ID}
    assert {"prompt", "id", "batchsize", "resolution", "source_images", "image_url", "category"} <= names


def test_every_state_has_its_row_and_no_other() -> None:
    table = RELIABILITY.partition("| state | what is known | charged |")[2].partition("\n\n")[0]
    assert tuple(sorted(re.findall(r"^\| ([a-z]+) \|", table, re.MULTILINE))) == tuple(sorted(STATES))


def test_the_harness_does_as_often_as_is_reported() -> None:
    documented = [int(number.replace(",", "")) for number in re.findall(r"\*\*: ([\d,]+) times", RELIABILITY)]
    assert documented == [KILLS, CUTS, INTERRUPTS, DAMAGES, FILLS]


def test_the_gallery_s_limit_is_the_documented_one() -> None:
    assert f"up to {_EMBEDDED} of them" in BULK
