"""Commands as a message shows them, ready to be pasted into a shell."""

import shlex
from collections.abc import Iterable


def shell_command(words: str, operands: Iterable[str], options: Iterable[str] = ()) -> str:
    """Return the command of these words, quoted. An operand that begins like an option follows ``--``."""
    operands = list(operands)
    if any(one.startswith("-") for one in operands):
        return shlex.join([*words.split(), *options, "--", *operands])
    return shlex.join([*words.split(), *operands, *options])
