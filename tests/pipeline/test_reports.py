"""All that a run says about a page, and all that it changes in openapi/, is what was recorded in reports.txt.

Whoever changes a word, a verdict or an order reads the difference of that file: `python tests/pipeline/test_reports.py`
(with `PYTHONPATH=openapi:tests`) records what there is now. No client is generated here, which takes a second each.
"""

# ruff: noqa: E501 -- one case a line

import copy
import difflib
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import pytest
from page_edits import (
    DAY,
    PAGE,
    REPOSITORY,
    ROUTE,
    YAML,
    RepositoryCopy,
    as_json,
    body,
    document,
    edited,
    field,
    operation,
    page,
    replaced,
    schema,
)
from pipeline.build import effective
from pipeline.emit_limits import emit_limits
from pipeline.errors import PipelineError
from pipeline.generate import generate
from pipeline.inputs import OVERLAY, REVIEWED, RULES, SETTINGS, VENDORED, Inputs
from pipeline.send_check import Unsendable
from pipeline.strict_yaml import dump_yaml

RECORDED = Path(__file__).with_name("reports.txt")
OPEN: dict[str, Any] = {"responses": {"200": {"description": "ok"}}}


class Case(NamedTuple):
    """A page, and what is done to the repository before it is taken."""

    page: bytes | None
    edits: tuple[tuple[str, str, str], ...] = ()  # file, old, new
    unsendable: tuple[Unsendable, ...] = ()
    pages: tuple[bytes, ...] = ()  # taken before, with ACCEPT=1


def described(name: str, text: str) -> Callable[[Any], object]:
    return lambda d: field(d, name).update(description=text)


def add(**fields: Any) -> Callable[[Any], object]:
    return lambda d: body(d)["properties"].update(fields)


def moved(owner: Any, old: str, new: str) -> None:
    owner[new] = owner.pop(old)


def _english(node: Any) -> Any:
    known = {
        "提示词（必填）": "Prompt (required)",
        "批量生成数量，1-15": "1-15 images",
        "源图片URL": "Image URL",
        "任务管理": "Tasks",
        "分类标识，默认为seedreamv45": "seedreamv45 by default",
        "响应状态码：1000=成功，9999=失败，9000=积分不足": "1000=success, 9999=failure, 9001=no credits",
    }
    if isinstance(node, dict):
        return {key: _english(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_english(value) for value in node]
    if isinstance(node, str) and re.search("[\u4e00-\u9fff]", node):
        ratios = "Ratios (9:16, 16:9, 3:4, 4:3, 1:1, 2:3, 3:2). Tiers 2K, 4K. Sizes as 2048x2048.\n- Pixels:"
        ratios += " [3,686,400, 16,777,216] (2560x1440, 4096x4096)\n3750x1250 (4,687,500); 1500x1500 not (2,250,000)"
        return known.get(node, ratios if "总像素" in node else f"Text {len(node)}")
    return node


def _codes(d: dict[str, Any]) -> None:
    text = "1000=success, 9999=failure, 9000=no credits"
    schema(d, "BaseResponse")["properties"]["code"].update(description=text)


def english(*edits: Callable[[Any], object]) -> bytes:
    found = _english(document())
    for edit in edits:
        edit(found)
    info = b"yaml /en/api-reference/image/openapi.json post " + ROUTE.encode()
    return page(dump_yaml(found).encode(), info.removeprefix(b"yaml "))


def _fields(d: dict[str, Any]) -> None:
    """Change every kind of thing of the form at once."""
    found = body(d)["properties"]
    moved(found, "imageUrl", "image_url")
    found["batchsize"].update(minimum=2, maximum=20, default=40, multipleOf=2)
    found["category"].update(enum=["a", "b"], deprecated=True, minLength=2)
    found["prompt"].update(maxLength=800, nullable=True, pattern=r"^\p{L}", title="提示", readOnly=True)
    found["resolution"].update(default="4K", type="integer", example="4K")
    found["sourceImage"]["items"].pop("format")
    found["seed"] = {"type": "integer", "description": "随机种子。0 到 100", "x-note": "也可不填"}
    body(d).update(required=["seed", "resolution"], additionalProperties=False)


def _reply(d: dict[str, Any]) -> None:
    data = schema(d, "GeneralData")["properties"]
    data.pop("url")
    data["taskid"].update(nullable=True, writeOnly=True)
    data["eta"] = {"type": "integer", "description": "秒"}
    schema(d, "BaseResponse").update(required=["code"])
    schema(d, "BaseResponse")["properties"]["code"].update(enum=[1000], maximum=9999)
    operation(d)["responses"]["429"] = {"description": "slow down"}
    operation(d)["responses"]["200"]["content"]["text/plain"] = {"schema": {"type": "string"}}


def _around(d: dict[str, Any]) -> None:
    d.update(openapi="3.1.0", servers=[{"url": "https://{r}.example.org/x/", "variables": {"r": {"default": "cn"}}}])
    d["info"].update(version="1.0.1")
    d["tags"][0].update(description="At most 10.")
    d["components"]["securitySchemes"].update(B={"type": "http", "scheme": "basic"})
    d["components"]["securitySchemes"]["ApiKeyAuth"].update(name="X-Api-Key")
    d["paths"][ROUTE].update(description="At most 10 requests.")
    operation(d).update(summary="New name. 同一段", tags=["图像"], externalDocs={"url": "https://x.example"})
    d["paths"]["/v1/other"] = {"get": {"operationId": "listTasks", "summary": "List", **OPEN}}


def _forms(d: dict[str, Any]) -> None:
    """Give the body a second choice and a second media type."""
    content = operation(d)["requestBody"]["content"]
    whole = content["multipart/form-data"]
    content["application/json"] = copy.deepcopy(whole)
    content["application/json"]["schema"]["properties"].update(extra={"type": "string", "description": "一"})
    other = {"type": "object", "properties": {"templateId": {"type": "string", "description": "源图片文件"}}}
    whole["schema"] = {"oneOf": [whole["schema"], other]}


def _swapped_routes(d: dict[str, Any]) -> None:
    d["paths"]["/v1/images/v5"] = d["paths"].pop(ROUTE)
    d["paths"]["/v1/images/v5"]["put"] = d["paths"]["/v1/images/v5"].pop("post")


def _parameters(d: dict[str, Any]) -> None:
    d["paths"][ROUTE]["parameters"] = [{"in": "header", "name": "X-T", "required": True, "schema": {"type": "string"}}]
    trace = {"in": "query", "name": "trace", "description": "跟踪", "schema": {"type": "string", "maxLength": 9}}
    operation(d)["parameters"] = [trace]


RESOLUTION = field(document(), "resolution")["description"]
PIXELS = "总像素范围：[3,686,400, 16,777,216]（例如从 2560x1440 到 4096x4096）"
CASES: dict[str, Case] = {
    "the same page": Case(PAGE),
    "no page": Case(None),
    "a smaller list, a larger one, and a bound": Case(
        replaced(("2:3、3:2）", "2:3）"), ("2K、4K", "2K、4K、8K"), ("[3,686,400", "[4,000,000"))
    ),
    "a bound that is wider": Case(replaced(("16,777,216]", "20,000,000]"))),
    "other words": Case(
        replaced(("总像素范围", "像素总数范围"), ("源图片文件", "源图像文件"), ("失败，9000=积", "失败了，9000=积"))
    ),
    "conditions": Case(replaced(("提示词（必填）", "提示词（没有源图片时必填）"), ("源图片文件", "仅在 V5 不再是源图片"))),
    "numbers in words": Case(replaced((PIXELS, "总像素不低于四百万"))),
    "sentences gone": Case(
        edited(
            described("resolution", RESOLUTION.split("示例")[0]),
            lambda d: field(d, "prompt").pop("description"),
            lambda d: schema(d, "GeneralData")["properties"]["taskid"].update(description="别的"),
        )
    ),
    "a sentence moved": Case(
        edited(described("prompt", "提示词"), described("category", "分类标识，默认为seedreamv45。提示词（必填）"))
    ),
    "a text moved": Case(edited(lambda d: moved(body(d)["properties"], "sourceImage", "image"))),
    "stated twice": Case(replaced(("批量生成数量，1-15", "批量生成数量，1-15。批量生成数量，1-20"))),
    "sizes written in another way": Case(edited(described("resolution", RESOLUTION.replace("x", "×")))),
    "sizes against their bounds": Case(replaced(("如 2048x2048", "如 1920x1080"))),
    "more sentences": Case(
        edited(
            described("prompt", "提示词（必填）。最长 800 字\n- 一段 | <b>\n- 二段"),
            lambda d: operation(d)["requestBody"].update(description="二选一"),
            lambda d: body(d).update(description="三选一"),
            lambda d: field(d, "sourceImage")["items"].update(description="最大 10 MB"),
        )
    ),
    "sentences in another order": Case(
        edited(lambda d: schema(d, "GeneralData").update(description="甲。乙。")), pages=(
            edited(lambda d: schema(d, "GeneralData").update(description="乙。甲。")),
        ),
    ),
    "texts that nobody has read": Case(
        replaced(("maximum: 15", "maximum: 20")),
        ((REVIEWED, "    submit/reply/msg:", "    submit/reply/gone:"),),
    ),
    "a row without a sentence": Case(PAGE, ((RULES, "      zh: 提示词（必填）", "      en: A prompt (required)"),)),
    "needless actions": Case(
        edited(lambda d: body(d).update(required=["prompt"]), lambda d: operation(d)["requestBody"].update(required=True))
    ),
    "an action matches nothing": Case(edited(lambda d: operation(d).pop("tags"))),
    "an action collides": Case(
        edited(
            lambda d: d["components"]["schemas"].update(FailureReply={"type": "object", "properties": {}}),
            lambda d: operation(d)["responses"]["200"].update(links={"query": {"operationId": "seeDreamV45"}}),
        )
    ),
    "an action has lost its ground": Case(
        edited(
            lambda d: moved(d["components"]["schemas"], "GeneralResponse", "TaskResponse"),
            lambda d: operation(d)["responses"]["200"]["content"]["application/json"]["schema"].update(
                {"$ref": "#/components/schemas/TaskResponse"}
            ),
        )
    ),
    "a reply without a reference": Case(
        edited(
            lambda d: operation(d)["responses"]["200"]["content"]["application/json"].update(schema={"type": "string"})
        )
    ),
    "all of the form": Case(edited(_fields)),
    "all of the reply": Case(edited(_reply)),
    "all around": Case(edited(_around)),
    "other forms of the body": Case(edited(_forms)),
    "parameters": Case(edited(_parameters)),
    "a field removed": Case(edited(lambda d: body(d)["properties"].pop("sourceImage"))),
    "prompt removed": Case(edited(lambda d: body(d)["properties"].pop("prompt"))),
    "an enum against the prose": Case(edited(lambda d: field(d, "resolution").update(enum=["2K", "4K"]))),
    "an enum against the prose, taken before": Case(
        edited(lambda d: field(d, "resolution").update(enum=["2K", "4K"], example="4K")),
        pages=(edited(lambda d: field(d, "resolution").update(enum=["2K", "4K"])),),
    ),
    "no server": Case(edited(lambda d: d.pop("servers"))),
    "two keys at once": Case(
        edited(
            lambda d: d["components"]["securitySchemes"].update(B={"type": "apiKey", "in": "header", "name": "X"}),
            lambda d: operation(d)["security"][0].update(B=[]),
        )
    ),
    "another way in": Case(
        edited(
            lambda d: d["components"]["securitySchemes"].update(B={"type": "http", "scheme": "bearer"}),
            lambda d: operation(d)["security"].append({"B": []}),
        )
    ),
    "parts moved": Case(
        edited(lambda d: field(d, "batchsize").update(allOf=[{"maximum": field(d, "batchsize").pop("maximum")}]))
    ),
    "another path and method": Case(edited(_swapped_routes)),
    "another operationId": Case(edited(lambda d: operation(d).update(operationId="paint"))),
    "another operationId that is no name": Case(edited(lambda d: operation(d).update(operationId="paint it"))),
    "no operationId": Case(edited(lambda d: operation(d).pop("operationId"))),
    "another operation and path": Case(
        edited(lambda d: operation(d).update(operationId="paint"), lambda d: moved(d["paths"], ROUTE, "/v9"))
    ),
    "our operation beside another with its id": Case(
        edited(
            lambda d: operation(d).update(operationId="paint"),
            lambda d: d["paths"].update({"/v2": {"post": {**copy.deepcopy(operation(d)), "operationId": "seeDreamV45"}}}),
        )
    ),
    "text around": Case(
        PAGE.replace(b"# SeeDreamV4.5\n", b"# SeeDream\n\nAt most 10 a minute.\n").replace(b"15\n", b"20\n", 1)
    ),
    "only text around": Case(PAGE.replace(b"## OpenAPI\n", b"At most 10 a minute.\n")),
    "a whole document": Case(
        as_json(
            document(
                lambda d: field(d, "batchsize").update(maximum=20),
                lambda d: d["paths"].update({"/v1/z": {"get": {"operationId": "z", **OPEN}, "post": OPEN}}),
                lambda d: d["components"]["schemas"].update(Unused={"type": "object"}),
            )
        )
    ),
    "bare YAML": Case(b"# ours\n---\n" + YAML.replace(b"maximum: 15", b"maximum: 20")),
    "another edition": Case(english()),
    "another edition with the same facts": Case(english(_codes)),
    "a known edition": Case(english(_codes, described("prompt", "Prompt (required, 5 words)")), pages=(english(_codes),)),
    "a known edition, back": Case(PAGE, pages=(english(_codes),)),
    "unsendable": Case(
        replaced(("maximum: 15", "maximum: 20")),
        unsendable=(
            Unsendable("submit/request/seed", "no value", optional=True),
            Unsendable("submit", "it ends with 2", optional=False),
        ),
    ),
    "unsendable but optional": Case(
        replaced(("maximum: 15", "maximum: 20")), unsendable=(Unsendable("submit/request/seed", "no", optional=True),)
    ),
    "our own edit": Case(
        None, ((OVERLAY, "taskid: {type: string, minLength: 1,", "taskid: {type: string, minLength: 3,"),)
    ),
    "another model": Case(PAGE.replace(b"seedreamv45", b"seedreamv5").replace(b"seeDreamV45", b"seeDreamV5")),
    "a role that the document lacks": Case(PAGE, ((SETTINGS, "  query: infoByTaskId", "  query: noSuch"),)),
}  # fmt: skip


def quick(after: Inputs) -> dict[str, bytes]:
    """Build what needs no generator, with every check that can stop a run."""
    text = emit_limits(effective(after), after.settings)
    return {"generated/limits.py": text.encode()}


def run(case: Case, root: Path, *, accept: bool) -> str:
    """Return the exit code of a run, all that it says, and what it changes below openapi/."""
    repository = RepositoryCopy(root)
    for name, old, new in case.edits:
        repository.edit(name, old, new)
    before = repository.files()
    given = None
    if case.page is not None:
        given = root / "build" / "page.md"
        given.write_bytes(case.page)
    try:
        ended = generate(root, given, accept=accept, today=DAY, send_check=lambda *_: list(case.unsendable))
    except PipelineError as error:
        said = f"{error.exit_code} {type(error).__name__}: {error}\n"
    else:
        assert repository.read("build/spec-report.md") == ended.markdown()
        said = f"{ended.code}\n{ended.text()}"
    return "".join([said, *_differences(before, repository.files())])


def _differences(before: dict[str, bytes], after: dict[str, bytes]) -> list[str]:
    found: list[str] = []
    for name in sorted({*before, *after}):
        old, new = (files.get(name, b"").decode().splitlines(keepends=True) for files in (before, after))
        if old != new and name in (VENDORED, "generated/limits.py"):
            found.append(f"~ {name}\n")  # the page's own bytes, and those of another test
        else:
            rows = [row for row in difflib.unified_diff(old, new, n=0) if not row.startswith(("---", "+++", "@@"))]
            found += [f"~ {name}\n", *rows] if rows else []
    return found


def taken(folder: Path) -> Path:
    """Return a repository without generated code that has taken the real page."""
    skip = shutil.ignore_patterns("__pycache__", "pipeline", ".ruff_cache")
    shutil.copytree(REPOSITORY / "openapi", folder / "openapi", ignore=skip)
    (folder / "build").mkdir()
    (folder / "overlay/seedream").mkdir(parents=True)
    (folder / "overlay/seedream/sizes.py").write_text("RES_PIXELS_MINIMUM, 'PROMPT-REQUIRED'")
    (folder / "tests").mkdir()
    (folder / "tests/test_sizes.py").write_text("'RES-PIXELS', 'RES-PIXELS-OF-ANOTHER', 'BATCH-RANGE-OF-ANOTHER'")
    run(Case(PAGE), folder, accept=True)
    return folder


def copied(base: Path, case: Case, target: Path) -> Path:
    shutil.copytree(base, target)
    for data in case.pages:
        run(case._replace(page=data, edits=()), target, accept=True)
    return target


@pytest.fixture(autouse=True)
def no_generator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.generate.build", quick)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with patch("pipeline.generate.build", quick):
        return taken(tmp_path_factory.mktemp("taken"))


def outcomes(case: Case, base: Path, folder: Path) -> str:
    """Return what a run says and changes, and the lines in which the same run with ACCEPT=1 differs.

    That advice is not given where all is accepted need not be written down each time.
    """
    first, second = (run(case, copied(base, case, folder / f"{accept}"), accept=accept) for accept in (False, True))
    rows = difflib.unified_diff(first.splitlines(keepends=True), second.splitlines(keepends=True), n=0)
    left = ("---", "+++", "@@", "-       | ", "-     Next: ", "-     Or run with ")
    changed = [row for row in rows if not row.startswith(left)]
    return f"{first}#### with ACCEPT=1\n{''.join(changed)}"


def recorded() -> dict[str, str]:
    parts = RECORDED.read_text("utf-8").split("\n######## ")[1:]
    return {name: text for name, _, text in (part.partition("\n") for part in parts)}


def test_every_case_is_recorded() -> None:
    assert list(recorded()) == list(CASES)


@pytest.mark.parametrize("name", CASES)
def test_a_run_says_and_changes_what_was_recorded(name: str, base: Path, tmp_path: Path) -> None:
    assert outcomes(CASES[name], base, tmp_path) == recorded()[name]


def record() -> None:
    """Write what there is now."""
    lines = ["What runs say and change; `~` begins a file that changed. Written by test_reports.py.\n"]
    with tempfile.TemporaryDirectory() as folder, patch("pipeline.generate.build", quick):
        base = taken(Path(folder) / "base")
        for number, (name, case) in enumerate(CASES.items()):
            lines.append(f"\n######## {name}\n{outcomes(case, base, Path(folder) / str(number))}")
    RECORDED.write_text("".join(lines), "utf-8")


if __name__ == "__main__":
    record()
