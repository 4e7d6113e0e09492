"""Our part of the vendor's whole document: the operations that we vendor, and the components that they need."""

from dataclasses import replace

from .flatten import names_of
from .page import Source
from .spec import Json, operations, parts_of, references
from .strict_yaml import dump_yaml


def reduce(source: Source, submit: str, vendored: Json) -> tuple[Source, list[str]]:
    """Return the source with only our operations, and a line for each operation left out.

    A page is about its own operations, so all of them are kept. A bare document that holds more than we vendor is taken
    for the vendor's whole one; before anything is vendored, only the submit operation counts as ours.
    """
    if source.form == "page":
        return source, []
    old = names_of(vendored, submit)
    ours = set(old.values()) or {"submit"}
    names = names_of(source.document, submit, old)
    left = [op for op in operations(source.document) if names[op.path, op.method] not in ours]
    if not left or len(left) == len(names):
        return source, []
    keep = {key for key, name in names.items() if name in ours}
    document = _only(source.document, keep)
    lines = [f"{op.method.upper()} {op.path} ({op.id})" for op in left]
    return replace(source, document=document, yaml=dump_yaml(document).encode()), lines


def _only(document: Json, keep: set[tuple[str, str]]) -> Json:
    found = dict(document)
    dropped = {(op.path, op.method) for op in operations(document)} - keep
    found["paths"] = {
        path: {key: value for key, value in item.items() if (path, key) not in dropped}
        for path, item in document["paths"].items()
        if any(kept == path for kept, _ in keep)
    }
    if isinstance(document.get("components"), dict):
        found["components"] = _needed(document, found)
    return found


def _needed(document: Json, kept: Json) -> Json:
    components: Json = document["components"]
    wanted: set[tuple[str, str]] = set()
    todo: list[object] = [value for key, value in kept.items() if key != "components"]
    while todo:
        for node in references(todo.pop()):
            _, _, rest = node.value["$ref"].partition("#/components/")
            kind, _, name = rest.partition("/")
            key = (kind, parts_of(f"/{name}")[0])
            if name and key not in wanted:
                wanted.add(key)
                todo.append(components.get(key[0], {}).get(key[1]))
    for operation in operations(kept):
        for option in operation.node.value.get("security", document.get("security", [])):
            wanted |= {("securitySchemes", name) for name in option}
    return {
        kind: some
        for kind, group in components.items()
        if (some := {name: value for name, value in group.items() if (kind, name) in wanted})
    }
