"""Imports: the core needs no extra, a missing extra is named, and the list of commands is quick."""

import subprocess
import sys

import pytest
from seedream.cli import exit_codes
from seedream.cli.app import COMMANDS, app

EXTRAS = {
    "click", "rich", "jsonschema_rs", "werkzeug", "PIL", "ruamel", "pytest", "respx", "schemathesis",
    "hypothesis", "sqlite3",
}  # fmt: skip


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)


def test_import_seedream_loads_no_extras_library() -> None:
    done = python("import seedream, sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))")
    loaded = set(done.stdout.split())
    assert {"attr", "seedream", "tensorslab_images"} <= loaded, done.stderr
    assert set() == loaded & EXTRAS
    parts = python("import seedream, sys; print(*(n for n in sys.modules if n.startswith('seedream.')))").stdout.split()
    assert len(parts) > 10
    apart = {"cli", "sandbox", "testing", "contract", "bulk", "journal"}
    assert set() == apart & {name.split(".")[1] for name in parts}


HIDE = (
    "import sys\n"
    "class Hide:\n"
    "    def find_spec(self, name, *_):\n"
    "        if name.partition('.')[0] in {hidden}:\n"
    "            raise ModuleNotFoundError(f'No module named {{name!r}}', name=name)\n"
    "sys.meta_path.insert(0, Hide())\n"
)


@pytest.mark.parametrize("missing", ["click", "rich"])
def test_without_the_extra_the_command_says_what_to_install(missing: str) -> None:
    done = python(HIDE.format(hidden={missing}) + "from seedream.cli import main; main()")
    assert 2 == done.returncode
    assert done.stderr.startswith(f"seedream: {missing} is not installed. Install the extra of the command line: ")
    assert 'pip install ".[cli]" in a clone' in done.stderr


@pytest.mark.parametrize("words", [["generate", "x", "--sandbox"], ["demo"], ["sandbox"]])
def test_without_the_sandbox_extra_it_says_what_to_install(words: list[str]) -> None:
    hidden = HIDE.format(hidden={"PIL", "jsonschema_rs", "werkzeug"})
    done = python(hidden + f"sys.argv = ['seedream', *{words}]\nfrom seedream.cli import main; main()")
    assert 2 == done.returncode, done.stderr
    assert 'pip install ".[sandbox]" in a clone' in done.stderr
    assert "Traceback" not in done.stderr


def test_help_imports_no_command() -> None:
    code = (
        "import sys; sys.argv = ['seedream', '--help']\n"
        "from seedream.cli import main\n"
        "try: main()\n"
        "finally: print(*(name for name in sys.modules if name.startswith(('seedream.cli', 'sqlite3', 'PIL'))))\n"
    )
    loaded = python(code).stdout.splitlines()[-1].split()
    assert "seedream.cli.app" in loaded
    assert set() == set(loaded) & {"seedream.cli.generate", "seedream.cli.bulk", "sqlite3", "PIL"}


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_listed_is_there_and_helps(name: str, cli: object) -> None:
    ran = cli(name, "--help")  # type: ignore[operator]  # the fixture
    assert 0 == ran.code, ran.err
    assert f"Usage: seedream {name}" in ran.out
    assert COMMANDS[name].summary.endswith(".")


def test_help_lists_every_exit_code(cli: object) -> None:
    out = " ".join(cli("--help").out.split())  # type: ignore[operator]  # the fixture
    for one in exit_codes.TABLE:
        assert f" {one.code} {one.meaning}" in out
    assert len({one.code for one in exit_codes.TABLE}) == len(exit_codes.TABLE) > 10
    assert "seedream" == app.name
