"""Takes our part of the OpenAPI document out of what was given: the vendor's Markdown page, bare YAML, or JSON.

From a page and from bare YAML the vendor's bytes are kept as they are; JSON is written out as YAML.
"""

import hashlib
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token

from .errors import RefusedInput
from .flatten import names_of
from .prose import sentences
from .spec import Json, components_of, operations, walk
from .strict_yaml import MAX_JSON_BYTES, Unreadable, dump_yaml, load_json, load_yaml

# markdown-it ends lines at these three only; str.splitlines() knows five more.
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\n|\r|\Z)")
_ROUTE = re.compile(
    r"(?:ya?ml|json)\s+\S+\.(?:json|ya?ml)\s+(?:get|put|post|delete|options|head|patch|trace)\s+/\S*", re.IGNORECASE
)
_BARE = re.compile(r"""["']?(?:openapi|swagger|info|paths)["']?\s*:""")
_VERSION_LINE = re.compile(r"""^["']?(?:openapi|swagger)["']?\s*:\s*["']?\d""", re.MULTILINE)
_FENCE_LINE = re.compile(r"^ {0,3}(?:`{3,}|~{3,})", re.MULTILINE)
_INDENTED_FENCE = re.compile(r"^(?: {0,3}\t| {4})[ \t]*(?:`{3,}|~{3,}) *(?:ya?ml|json)\b", re.MULTILINE | re.IGNORECASE)
_TITLE = re.compile(r"^# +(\S.*)$", re.MULTILINE)

_MOST_LINES: Final = 50_000
_MOST_SENTENCES: Final = 200
_LONGEST_LINE: Final = 2_000

Form = Literal["page", "yaml", "json"]


@dataclass(frozen=True)
class Source:
    """What was given, taken apart."""

    name: str  # file name without folders
    form: Form  # what was given
    sha256: str  # of the bytes given
    yaml: bytes  # the bytes to vendor
    document: dict[str, Any]  # the same as plain data
    fence: str = ""  # info string of the fenced block (empty for bare documents)
    title: str = ""  # the page's heading (empty for bare documents)
    text: tuple[str, ...] = ()  # sentences of the page outside of its code blocks


def read(path: Path) -> Source:
    """Read the document in the file at `path`.

    Raises:
        RefusedInput: The file is missing, empty or binary, or holds no usable block, or several.
    """
    try:
        if path.is_dir():
            raise RefusedInput(f"{path} is a folder. Give the file that holds the page.")
        if not path.is_file():
            raise RefusedInput(f"{path}: there is no such file.")
        if path.stat().st_size > MAX_JSON_BYTES:
            raise RefusedInput(f"{path} is larger than {MAX_JSON_BYTES:,} bytes: no page of this API is.")
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise RefusedInput(f"{str(path)!r:.200} cannot be read: {reason}.") from None
    return take(data, path.name)


def take(data: bytes, name: str) -> Source:
    """Read the document in `data`; see `read`."""
    digest = hashlib.sha256(data).hexdigest()
    body = data.removeprefix(b"\xef\xbb\xbf")
    text = _text(body, name)
    if text.lstrip()[:1] in ("{", "[") and not _FENCE_LINE.search(text):
        document = _document(load_json, text, name)
        return Source(name, "json", digest, dump_yaml(document).encode(), document)
    if _is_bare_yaml(text):
        return Source(name, "yaml", digest, body, _document(load_yaml, text, name))
    return _from_page(body, text, name, digest)


def _text(body: bytes, name: str) -> str:
    if not body.strip():
        raise RefusedInput(f"{name} is empty.")
    if b"\0" in body:
        raise RefusedInput(f"{name} is a binary file (it holds NUL bytes), or not UTF-8 text.")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise RefusedInput(
            f"{name} is not UTF-8 text (byte {error.start}): a binary file, or another encoding."
        ) from None


def _document(load: Any, text: str, name: str) -> dict[str, Any]:
    try:
        document = load(text)
    except Unreadable as error:
        raise RefusedInput(f"{name}: the document cannot be read: {error}.") from None
    if not isinstance(document, dict):
        raise RefusedInput(f"{name} holds no OpenAPI document: the top level is not a mapping.")
    return document


def _is_bare_yaml(text: str) -> bool:
    lines = (line for line in text.split("\n") if line.strip() and not line.lstrip().startswith("#"))
    first_line = next((line for line in lines if not line.startswith("---")), "")
    version, fence = _VERSION_LINE.search(text), _FENCE_LINE.search(text)
    if version is None:
        return fence is None and _BARE.match(first_line) is not None
    return fence is None or version.start() < fence.start()


def _from_page(body: bytes, text: str, name: str, digest: str) -> Source:
    lines = [line for line in _LINE.findall(body) if line]
    if len(lines) > _MOST_LINES:
        raise RefusedInput(f"{name} has more than {_MOST_LINES:,} lines: no page of this API has.")
    fences = [token for token in MarkdownIt("commonmark").parse(text) if token.type == "fence"]
    named = [token for token in fences if _ROUTE.fullmatch(token.info.strip())]
    candidates = named or [token for token in fences if _VERSION_LINE.search(token.content)]
    if not candidates and (indented := _INDENTED_FENCE.search(text)):
        line = text.count("\n", 0, indented.start()) + 1
        raise RefusedInput(
            f"{name} holds no OpenAPI block: the fence at line {line} is indented by four spaces or a tab, so it is"
            " text. Remove the indentation of the block."
        )
    if not candidates:
        raise RefusedInput(
            f"{name} holds no OpenAPI block. Looked for one fenced block whose info reads"
            " `yaml <file>.json <method> <path>`, and for a bare OpenAPI document."
        )
    if len(candidates) > 1:
        places = ", ".join(str((token.map or [0])[0] + 1) for token in candidates)
        raise RefusedInput(
            f"{name} holds {len(candidates)} candidate blocks (at lines {places}). Keep the one that describes our"
            " operation and give that page."
        )
    token = candidates[0]
    block = _slice(token, lines, name)
    load = load_json if token.content.lstrip()[:1] == "{" else load_yaml
    document = _document(load, block.decode(), f"{name}, fenced block at line {(token.map or [0])[0] + 1}")
    title = _TITLE.search(text)
    return Source(
        name,
        "page",
        digest,
        block if load is load_yaml else dump_yaml(document).encode(),
        document,
        fence=token.info.strip(),
        title=title[1].rstrip() if title else "",
        text=_text_around(text, fences),
    )


def _text_around(text: str, fences: list[Token]) -> tuple[str, ...]:
    """Return the sentences outside of code blocks and front matter, as far as a person would read them."""
    lines = re.split(r"\r\n|\n|\r", text)
    for token in fences:
        start, end = token.map or [0, 0]
        lines[start:end] = [""] * (end - start)
    if lines and lines[0].strip() == "---" and "---" in [line.strip() for line in lines[1:]]:
        lines = lines[[line.strip() for line in lines[1:]].index("---") + 2 :]
    found = dict.fromkeys(" ".join(line.split())[:_LONGEST_LINE] for line in lines if line.strip())
    return tuple(sentence for line in found for sentence in sentences(line))[:_MOST_SENTENCES]


def _slice(token: Token, lines: list[bytes], name: str) -> bytes:
    start, end = token.map or [0, 0]
    if token.level:
        raise RefusedInput(f"{name}: the block at line {start + 1} is inside a list or a quotation.")
    if lines[start].startswith(b" "):
        raise RefusedInput(f"{name}: the block at line {start + 1} is indented, so its lines are ambiguous.")
    mark = token.markup
    closing = re.compile(rb" {0,3}" + re.escape(mark[0].encode()) + rb"{%d,}[ \t]*\s*" % len(mark))
    if end - 1 <= start or not closing.fullmatch(lines[end - 1]):
        raise RefusedInput(
            f"{name}: the block at line {start + 1} is never closed with {mark}. The page may be cut short."
        )
    block = b"".join(lines[start + 1 : end - 1])
    if re.sub(r"\r\n?", "\n", block.decode()) != token.content:
        raise RefusedInput(f"{name}: the block at line {start + 1} cannot be taken out byte for byte.")
    return block


def reduce(source: Source, submit: str, vendored: Json) -> tuple[Source, list[str]]:
    """Return the source with only our operations and the components that they need, and a line for each one left out.

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
    components = document.get("components")
    if isinstance(components, dict):
        wanted = set(components_of(document, [value for key, value in found.items() if key != "components"]))
        for operation in operations(found):
            asked = operation.node.value.get("security", document.get("security"))
            for option in [node.value for node in walk(asked) if isinstance(node.value, dict)]:
                wanted |= {("components", "securitySchemes", name) for name in option}
        found["components"] = {
            kind: some
            for kind, group in components.items()
            if isinstance(group, dict)
            and (some := {name: value for name, value in group.items() if ("components", kind, name) in wanted})
        }
    return found
