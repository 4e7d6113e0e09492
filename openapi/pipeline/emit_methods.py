"""Writes methods.py: submit() and generate() with a parameter for each body field of the page."""

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from .errors import DecisionNeeded
from .field_schema import body_fields
from .ledger import Ledger, Rule
from .settings import Parameter, Settings
from .spec import Json, our_operation

_WIDTH: Final = 100  # of a docstring's lines, before they are indented
_LONGEST: Final = 200  # characters of the page's description
_PROMPT: Final = "prompt"  # the first parameter, whatever the order of the page
_PYTHON: Final = {
    "string": "str", "integer": "int", "number": "float", "boolean": "bool",
    "binary": "bytes | str | PathLike[str] | BinaryIO", "object": "Mapping[str, Any]",
}  # fmt: skip

_HEAD: Final = '''"""The methods that submit, with a parameter for each body field of the page.

They are written out, so that every editor offers the fields by name. The clients inherit them and fill in the types:
the type variables have the names of the types that replace them.
"""

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import Any, BinaryIO, Final, Generic, Literal, Required, TypedDict, TypeVar, Unpack

Task = TypeVar("Task")
Generated = TypeVar("Generated")
Sources = TypeVar("Sources")
Resolution = TypeVar("Resolution")
ProgressCallback = TypeVar("ProgressCallback")

'''
_CLASS: Final = '''

class {kind}(Generic[Task, Generated, Sources, Resolution, ProgressCallback]):
    """submit() and generate() of {client}."""

    {d} submit(self, {signature}{own}**others: Unpack[OtherNames]) -> Task:
        """Submit one request. It costs credits, and is sent at most once.

        Args:
{described}{own_described}{others_described}
        Returns:
            The task{with_methods}.

        Raises:
            InvalidRequest: It breaks the schema or a rule; nothing was sent.
            NotSent: It provably never left.
            Refused: The server refused it: RateLimited, InsufficientCredits, AuthError, Rejected.
            SubmissionUnknown: It was sent and may have been billed; it is never sent again.
        """
        return {w}self._run_submit(prompt, {{{given}, **others,}})

    {d} generate(self, {signature}{own}{more}**others: Unpack[OtherNames]) -> Generated:
        """Submit, wait, and save the pictures.

        Args:
{described}{own_described}{more_described}{others_described}
        Returns:
            The pictures, with the task's id and its last state.

        Raises:
            SeeDreamError: As ``submit``, ``Task.wait`` and ``Task.save``. Once there is a task, its id is on the
                error, and the error is not retryable: the task is paid for, and is fetched by its id.
        """
        return {w}self._run_generate(prompt, {{{given}, **others,}}, {passed},)

    {d} _run_submit(self, prompt: str, given: Mapping[str, object]) -> Task:
        raise NotImplementedError

    {d} _run_generate(self, prompt: str, given: Mapping[str, object], **options: Any) -> Generated:
        raise NotImplementedError
'''


@dataclass(frozen=True)
class _Field:
    name: str
    type: str
    required: bool
    meaning: str

    @property
    def parameter(self) -> str:
        return f"{self.name}: {self.type}" if self.required else f"{self.name}: {self.type} | None = None"

    @property
    def member(self) -> str:
        return f"    {self.name}: {f'Required[{self.type}]' if self.required else f'{self.type} | None'}\n"


def emit_methods(document: Json, ledger: Ledger, settings: Settings) -> str:
    """Return the text of methods.py for the effective spec."""
    methods = settings.methods
    prompt, fields = _fields(document, ledger, settings)
    constants = "".join(
        f"DEFAULT_{name.upper()}: Final = {found.default!r}\n"
        for name, found in methods.generate.items()
        if found.default is not None
    )
    members = "".join(field.member for field in fields)
    members += "".join(f"    {name}: {found.type}\n" for name, found in methods.submit.items())
    options = (
        "\n\nclass OtherNames(TypedDict):\n"
        '    """Empty: a type checker refuses a name that is not a field, and so do the methods, with a hint."""\n'
        "\n\nclass SubmitOptions(TypedDict, Generic[Sources, Resolution], total=False):\n"
        f'    """The parameters of submit() besides the prompt."""\n\n{members}'
    )
    text = {
        "signature": "".join(f"{one}, " for one in ("prompt: str", "*", *(field.parameter for field in fields))),
        "own": _parameters(methods.submit),
        "more": _parameters(methods.generate),
        "described": _described({_PROMPT: prompt, **{field.name: field.meaning for field in fields}}),
        "own_described": _described({name: found.meaning for name, found in methods.submit.items()}),
        "more_described": _described({name: found.meaning for name, found in methods.generate.items()}),
        "others_described": _described({"others": "None; another name is refused, with a hint at the right one."}),
        "given": ", ".join(f"{name!r}: {name}" for name in (*(field.name for field in fields), *methods.submit)),
        "passed": ", ".join(f"{name}={name}" for name in methods.generate),
    }
    blocking = _CLASS.format(kind="SubmitMethods", client="SeeDream", d="def", w="", with_methods="", **text)
    awaiting = _CLASS.format(
        kind="AsyncSubmitMethods",
        client="AsyncSeeDream; each call is awaited",
        d="async def",
        w="await ",
        with_methods=", whose methods are awaited as well",
        **text,
    )
    return f"{_HEAD}{constants}{options}{blocking}{awaiting}"


def _fields(document: Json, ledger: Ledger, settings: Settings) -> tuple[str, list[_Field]]:
    """Return the meaning of the prompt, and the other fields: those known by name first, then in the page's order."""
    operation = our_operation(document, settings.submit)
    if operation is None:
        raise DecisionNeeded(f"the document has no operation {settings.submit}.")
    known = list(settings.explicit_fields)
    found = body_fields(document, operation, settings)
    found.sort(key=lambda field: known.index(field["name"]) if field["name"] in known else len(known))
    prompt, fields = settings.methods.meanings.get(_PROMPT, ""), []
    for field in found:
        rules = [rule for rule in ledger.rules.values() if rule.at == f"submit/request/{field['name']}"]
        meaning = _meaning(field, rules, settings)
        if field["attribute"] == _PROMPT:
            prompt = meaning
            continue
        kind = settings.methods.types.get(field["attribute"], "{page}").replace("{page}", _type(field, rules))
        fields.append(_Field(field["attribute"], kind, field["required"], meaning))
    return prompt, fields


def _type(field: Json, rules: Iterable[Rule]) -> str:
    """Return the Python type of a field; values that the page lists only in prose are offered beside any text."""
    one = _PYTHON[field["kind"]]
    enum = field.get("enum", ())
    facts = [rule.facts.get("values") for rule in rules if rule.standing == "stated"]
    values = enum or [value for fact in facts if isinstance(fact, tuple) for value in fact]
    if values and all(isinstance(value, str | int) for value in values):
        listed = f"Literal[{', '.join(map(repr, values))}]"
        if enum:
            one = listed
        elif field["kind"] == "string":
            one = f"{listed} | {one}"
    if field.get("many"):
        one = f"Sequence[{one}]"
    return f"{one} | None" if field.get("nullable") and field["required"] else one


def _meaning(field: Json, rules: Iterable[Rule], settings: Settings) -> str:
    """Return what a field means, its bounds and default, and the ids of its rules."""
    said = settings.methods.meanings.get(field["attribute"])
    meaning = said or _clean(field.get("description", "")) or "The page does not say what it means."
    if meaning[-1].isalnum():
        meaning += "。" if ord(meaning[-1]) > 0x2E80 else "."  # noqa: PLR2004 -- where the East Asian scripts begin
    low, high = field.get("minimum"), field.get("maximum")
    if low is not None and high is not None:
        meaning += f" From {low} to {high}."
    elif low is not None or high is not None:
        meaning += f" At least {low}." if high is None else f" At most {high}."
    if field.get("default") is not None:
        meaning += f" The service's default: {_clean(str(field['default']))}."
    names = ", ".join(rule.id for rule in rules)
    return f"{meaning} Rules: {names}." if "," in names else f"{meaning} Rule: {names}." if names else meaning


def _clean(text: str) -> str:
    """Return text of the page's on one line, with nothing that could end or change a docstring."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    line = line if len(line) <= _LONGEST else line[: _LONGEST - 1].rstrip() + "…"
    return line.replace("\\", "\\\\").replace('"', '\\"')


def _parameters(own: Mapping[str, Parameter]) -> str:
    return "".join(f"{name}: {found.type} = {found.default!r}, " for name, found in own.items())


def _described(meanings: Mapping[str, str]) -> str:
    return "".join(
        textwrap.fill(
            f"{name}: {meaning}",
            _WIDTH,
            initial_indent=" " * 12,
            subsequent_indent=" " * 16,
            break_long_words=False,
            break_on_hyphens=False,
        )
        + "\n"
        for name, meaning in meanings.items()
    )
