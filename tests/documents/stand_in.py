"""Stands in for `pip` and `make` where a document's block is run: checks that what is named exists.

`make demo` is run for real, as the installed program.
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def main(name: str, arguments: list[str]) -> int:
    if Path(name).name == "pip":
        project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
        extras = [extra for text in arguments for extra in re.findall(r"(?<=[\[,])[a-z]+(?=[\],])", text)]
        unknown = [extra for extra in extras if extra not in project["optional-dependencies"]]
        places = [text for text in arguments[1:] if not text.startswith("-")]
        # seedream is on no package index: only a folder or a file can be installed.
        wrong = [text for text in places if text.startswith("seedream") and "@" not in text and "/" not in text]
        if arguments[:1] not in (["install"], ["wheel"]) or unknown or wrong or not places:
            sys.stderr.write(f"pip {arguments}: unknown extras {unknown}, not installable {wrong}\n")
            return 1
        return 0
    targets = [word for word in arguments if "=" not in word]
    if targets == ["demo"]:
        return subprocess.run(["seedream", "demo", "--output", "demo-output"], check=False).returncode  # noqa: S607
    command = ["/usr/bin/env", "PATH=/usr/bin:/bin", "make", "-n", "-C", str(ROOT), "-o", ".venv/.ready", *arguments]
    return subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
