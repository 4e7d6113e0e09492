"""Chooses the Python name of each field of a request body.

It is the parameter of `submit()`, the attribute of the generated body and `limits.Field.attribute`, all in one. The
fields that the client names itself keep their names whatever a page adds beside them.
"""

import builtins
import keyword
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from typing import Final

# Names inside the generated body class that a field of the same name would break.
_GENERATED: Final = frozenset({
    "self", "cls", "d", "files", "field_dict", "src_dict", "prop", "prop_name", "json", "types", "to_dict", "from_dict",
    "to_multipart", "additional_properties", "additional_keys", "body", "headers", "client",
})  # fmt: skip


def python_names(fields: Iterable[str], explicit: Mapping[str, str], reserved: Collection[str]) -> dict[str, str]:
    """Return a Python name for each field, all different.

    Args:
        fields: Names on the wire, in the document's order.
        explicit: Python names of the fields that the client names itself.
        reserved: Other names that a field may not have, such as the other parameters of `submit()`.
    """
    found: dict[str, str] = {}
    names = list(fields)
    taken = {*explicit.values(), *reserved, *_GENERATED, *dir(builtins), *keyword.kwlist}
    for name in names:
        python = explicit.get(name) or _snake_case(name)
        while name not in explicit and python in taken:
            python += "_"
        taken.add(python)
        found[name] = python
    return found


def _snake_case(name: str) -> str:
    words = re.sub(r"([a-z0-9])([A-Z])|([A-Z])(?=[A-Z][a-z])", r"\1\3_\2", unicodedata.normalize("NFKC", name))
    text = re.sub(r"\W+", "_", words).strip("_").lower()
    return text if text.isidentifier() else f"field_{text}".rstrip("_")
