"""Runs commands that must succeed."""

import subprocess


def run(command: list[str], **options: object) -> str:
    """Return what the command prints; fail with all of its output where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1700, **options)  # type: ignore[call-overload]  # options of run
    assert done.returncode == 0, f"{command}:\n{done.stdout}\n{done.stderr}"
    return str(done.stdout)
