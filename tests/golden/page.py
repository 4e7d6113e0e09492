"""The page as the scenes know it: limits and facts of their own, so that an update of the spec changes no golden file.

The core reads its limits from the generated tables; while a scene plays it reads these. Whether the tables hold what
the page says is for tests/test_facts.py to tell.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any
from unittest.mock import patch

from attrs import evolve
from seedream import resolution
from seedream._protocol import failures, wire, workflows
from seedream._request import submission
from seedream._support import config
from tensorslab_images.limits import SEE_DREAM_V45, Field

FIELDS = (
    Field(name="category", attribute="category", kind="string", default="seedreamv45"),
    Field(name="prompt", attribute="prompt", kind="string", required=True),
    Field(name="batchsize", attribute="batchsize", kind="integer", default=1, minimum=1, maximum=15),
    Field(name="resolution", attribute="resolution", kind="string", default="2K"),
    Field(name="sourceImage", attribute="source_image", kind="binary", many=True),
    Field(name="imageUrl", attribute="image_url", kind="string"),
)
OPERATION = evolve(SEE_DREAM_V45, fields=FIELDS)
REPLACED: dict[ModuleType, dict[str, Any]] = {
    config: {"SERVER": "https://api.tensorslab.com"},
    failures: {"SERVER": "https://api.tensorslab.com"},
    submission: {"SEE_DREAM_V45": OPERATION, "_FIELDS": {spec.attribute: spec for spec in FIELDS}},
    wire: {"SEE_DREAM_V45": OPERATION},
    workflows: {"SEE_DREAM_V45": OPERATION},
    resolution: {
        "RES_PIXELS_MINIMUM": 3_686_400,
        "RES_PIXELS_MAXIMUM": 16_777_216,
        "RES_RATIO_VALUES": ("9:16", "16:9", "3:4", "4:3", "1:1", "2:3", "3:2"),
        "RES_TIER_VALUES": ("2K", "4K"),
    },
}


@contextmanager
def fixed_page() -> Iterator[None]:
    """The page of the scenes, while the block runs."""
    with ExitStack() as put_back:
        for module, names in REPLACED.items():
            for name, value in names.items():
                put_back.enter_context(patch.object(module, name, value))
        yield
