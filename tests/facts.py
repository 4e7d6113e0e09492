"""The page's facts, typed by hand from the page: the one table that a person edits when a limit changed.

It imports nothing of ours, so that no mistake of the pipeline's can slip into it. The judge, the cases at the edges and
what Hypothesis draws are made from it; `tests/test_facts.py` compares it with the generated tables, line by line.
"""

from typing import Any

SERVER = "https://api.tensorslab.com"

# What the page's machine-readable part says of each field of a submission, as keywords of JSON schema; and the rule
# that speaks about the field. A field without a rule of its own (a new one) has an empty rule.
SCHEMA: dict[str, tuple[str, dict[str, Any]]] = {
    "category": ("CATEGORY-DEFAULT", {"kind": "string", "default": "seedreamv45"}),
    "prompt": ("PROMPT-REQUIRED", {"kind": "string", "required": True}),
    "batchsize": ("BATCH-RANGE", {"kind": "integer", "default": 1, "minimum": 1, "maximum": 15}),
    "resolution": ("RES-FORMAT", {"kind": "string", "default": "2K"}),
    "sourceImage": ("SOURCE-IMAGE", {"kind": "binary", "many": True}),
    "imageUrl": ("IMAGE-URL", {"kind": "string"}),
}

# What the page, or else the vendor's other sources, say in prose: standing, and every fact.
LEDGER: dict[str, tuple[str, dict[str, Any]]] = {
    "RES-FORMAT": ("stated", {}),
    "RES-RATIO": ("stated", {"values": ("9:16", "16:9", "3:4", "4:3", "1:1", "2:3", "3:2")}),
    "RES-TIER": ("stated", {"values": ("2K", "4K")}),
    "RES-PIXELS": ("stated", {"minimum": 3_686_400, "maximum": 16_777_216}),
    "RES-EXAMPLES": ("stated", {"valid_pixels": 4_687_500, "invalid_pixels": 2_250_000}),
    "PROMPT-REQUIRED": ("stated", {}),
    "BATCH-RANGE": ("stated", {}),
    "CATEGORY-DEFAULT": ("stated", {}),
    "SOURCE-IMAGE": ("stated", {}),
    "IMAGE-URL": ("stated", {}),
    "CODE-MEANING": ("stated", {"success": 1000, "failure": 9999, "insufficient_credits": 9000}),
    "CODE-NO-DATA": ("inferred", {}),
    "TASK-ID": ("stated", {}),
    "RESULT-URL": ("stated", {}),
    "RESULT-EXPIRY": ("inferred", {"hours": 24}),
    "STATUS-MEANING": ("inferred", {"queued": 1, "processing": 2, "completed": 3, "failed": 4}),
    "AUTH-KEY": ("stated", {}),
    "AUTH-HEADER": ("inferred", {"scheme": "Bearer"}),
}
EXAMPLES: dict[str, dict[str, tuple[str, ...]]] = {
    "RES-FORMAT": {"valid": ("2048x2048",)},
    "RES-PIXELS": {"valid": ("2560x1440", "4096x4096")},
    "RES-EXAMPLES": {"valid": ("3750x1250",), "invalid": ("1500x1500",)},
}


def fact(rule: str, name: str) -> Any:
    """Return a fact of a rule."""
    return LEDGER[rule][1][name]


RULE_OF = {name: rule for name, (rule, _) in SCHEMA.items()}
DEFAULTS = {name: said["default"] for name, (_, said) in SCHEMA.items() if "default" in said}
FEWEST, LARGEST = (SCHEMA["batchsize"][1][bound] for bound in ("minimum", "maximum"))
LEAST, MOST = fact("RES-PIXELS", "minimum"), fact("RES-PIXELS", "maximum")
RATIOS, TIERS = fact("RES-RATIO", "values"), fact("RES-TIER", "values")
