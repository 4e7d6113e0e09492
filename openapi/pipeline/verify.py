"""Whether the committed tree is exactly what the inputs make."""

from pathlib import Path

from .build import GENERATED, build
from .compare import view
from .errors import Different
from .inputs import load
from .review import findings
from .rule_table import check_tables
from .tree import STAGE, differences, read_tree


def verify(root: Path) -> str:
    """Generate in memory and compare every file; return what to print.

    Raises:
        Different: a file under generated/ is missing, extra or different, an update was cut short, the ledger does not
            fit the vendored page, or what is written from the ledger elsewhere is out of date.
        BrokenInputs: the vendored YAML is not the one that SOURCE.toml names.
    """
    if (root / STAGE).exists():
        raise Different("an update was cut short. Run `make generate`, which ends or forgets it.")
    inputs = load(root)
    if found := findings(view(inputs, inputs, inputs.origin.fence), inputs):
        problems = "; ".join(f"{finding.subject}: {finding.what}" for finding in found[:5])
        raise Different(f"our inputs do not fit the vendored page; run `make generate` to see all ({problems}).")
    want = build(inputs)
    have = {f"{GENERATED}/{name}": data for name, data in read_tree(root / GENERATED).items()}
    if lines := differences(have, want):
        raise Different(
            "the tree under generated/ is not what openapi/ makes; run `make generate`:\n  " + "\n  ".join(lines)
        )
    check_tables(root, inputs)
    return f"{len(want)} files under {GENERATED}/ are what openapi/ makes."
