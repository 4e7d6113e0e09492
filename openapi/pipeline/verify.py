"""Whether the committed tree is exactly what the inputs make."""

from pathlib import Path

from .build import GENERATED, build
from .errors import Different
from .inputs import load
from .tree import STAGE, differences, read_tree


def verify(root: Path) -> str:
    """Regenerates in memory and compares every file; returns what to print.

    Raises:
        Different: a file under generated/ is missing, extra or different, or an update was cut short.
        BrokenInputs: the vendored YAML is not the one that SOURCE.toml names.
    """
    if (root / STAGE).exists():
        raise Different("an update was cut short. Run `make generate`, which ends or forgets it.")
    want = build(load(root))
    have = {f"{GENERATED}/{name}": data for name, data in read_tree(root / GENERATED).items()}
    if lines := differences(have, want):
        raise Different(
            "the tree under generated/ is not what openapi/ makes; run `make generate`:\n  " + "\n  ".join(lines)
        )
    return f"{len(want)} files under {GENERATED}/ are what openapi/ makes."
