"""No words, however odd, end in a traceback or in an exit code that the table does not list."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from seedream.cli import exit_codes
from seedream.cli.app import COMMANDS
from tensorslab_images.limits import SUBMIT

# Without a key and with --dry-run nothing is sent; `demo` and `sandbox` would run for long.
HARMLESS = sorted(set(COMMANDS) - {"demo", "sandbox", "bulk"})
ODD = st.one_of(
    st.text(max_size=20),
    st.text(alphabet=st.characters(categories=["Cs", "Cc", "Cf", "Zs"]), max_size=5),
    st.sampled_from(["-", "--", "", "2K", "16:9", "0x0", "-n", "-r", "-o", "--set", "--image", "--json", "=", "NaN"]),
    st.sampled_from([field.name for field in SUBMIT.fields]).flatmap(
        lambda name: st.text(max_size=8).map(lambda text: f"--set={name}={text}")
    ),
)


@given(command=st.sampled_from(HARMLESS), words=st.lists(ODD, max_size=5))
def test_odd_words_are_answered(cli: Any, command: str, words: list[str]) -> None:
    more = ["--dry-run"] if command == "generate" else []
    ran = cli(command, *more, *words, TENSORSLAB_API_KEY="" if command != "generate" else None)
    assert ran.code in {one.code for one in exit_codes.TABLE} - {exit_codes.BUG.code}, ran.err
    assert "\x1b" not in ran.out + ran.err
