"""Editions of the page in other languages: sentences of their own, the same facts."""

from typing import Any

import pytest
from page_edits import INFO, PAGE, RepositoryCopy, document, field, page
from pipeline.strict_yaml import dump_yaml

SIZES = (
    "Image resolution. Three formats are supported: 1) Aspect ratio (9:16, 16:9, 3:4, 4:3, 1:1, 2:3, 3:2), 2) Tier (2K,"
    " 4K), 3) Exact size (e.g. 2048x2048).\n\nAn exact size must meet:\n- Total pixels: [3,686,400, 16,777,216] (e.g."
    " from 2560x1440 to 4096x4096)\n\nExamples: 3750x1250 is valid (4,687,500 pixels in total); 1500x1500 is invalid"
    " (2,250,000 pixels in total, below the minimum)."
)
ENGLISH = {
    "提示词（必填）": "Prompt (required)",
    "批量生成数量，1-15": "Number of images to generate, 1-15",
    "分类标识，默认为seedreamv45": "Category identifier, seedreamv45 by default",
    "源图片文件": "Source image file",
    "源图片URL": "Source image URL",
    "响应状态码：1000=成功，9999=失败，9000=积分不足": (
        "Status code: 1000=success, 9999=failure, 9000=insufficient credits"
    ),
    "响应消息": "Message",
    "任务ID，用于后续查询任务状态": "Task ID, for querying the task's status later",
    "生成的图片URL（某些接口返回）": "URL of the generated image (returned by some endpoints)",
    "API密钥认证，请在请求头中包含Authorization字段": "API key; include the Authorization field in the request header",
    "通用响应": "General response",
    "基础响应结构": "Base structure of a response",
    "通用数据响应": "General data",
    "请求成功": "Success",
    "图片生成": "Image generation",
    "任务管理": "Tasks",
}
RULES = 14  # that the page states


def translated(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: translated(value) for key, value in node.items()}
    if isinstance(node, list):
        return [translated(value) for value in node]
    if isinstance(node, str):
        return ENGLISH.get(node, SIZES if node.startswith("图片分辨率") else node)
    return node


def english(*edits: Any) -> bytes:
    found = translated(document())
    for edit in edits:
        edit(found)
    return page(dump_yaml(found).encode(), INFO.replace(b"/zh/", b"/en/"))


def sizes(old: str, new: str) -> Any:
    assert old in SIZES
    return lambda d: field(d, "resolution").update(description=SIZES.replace(old, new))


# For an edition that the ledger does not know: stop, and list each rule with the words found at the same place.
def test_unknown_edition_lists_every_rule(repository: RepositoryCopy) -> None:
    ended = repository.take(english())
    assert (ended.code, ended.changed) == (3, False)
    assert ended.text.count("the en edition is new to the ledger") == RULES
    assert ended.text.count("numbers and lists equal the facts") == RULES
    assert "NOT EQUAL" not in ended.text
    assert "now | Total pixels: [3,686,400, 16,777,216] (e.g. from 2560x1440 to 4096x4096)" in ended.text
    assert "now | Prompt (required)" in ended.text
    assert "zh -> en" in ended.text


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (sizes("3,686,400", "3,600,000"), "minimum (3686400) is not there; it also holds the number 3600000"),
        (sizes("3:2)", "3:2, 21:9)"), "it also holds the ratio 21:9"),
        (sizes("2:3, ", ""), "is not there"),
        (sizes("(2K, 4K)", "(2K)"), "values (2K, 4K) is not there"),
        (sizes("1500x1500", "1600x1600"), "invalid example (1500x1500) is not there"),
    ],
)
def test_facts_that_differ_between_editions(edit: Any, words: str, repository: RepositoryCopy) -> None:
    stopped = repository.take(english(edit))
    assert stopped.code == 3
    assert "NOT EQUAL: " in stopped.text
    assert words in stopped.text
    accepted = repository.take(english(edit), accept=True)  # which of the two editions is right, only a person can tell
    assert (accepted.code, accepted.changed) == (3, False)
    assert "that needs an edit by hand" in accepted.text


def test_an_accepted_edition_is_known_from_then_on(repository: RepositoryCopy) -> None:
    ended = repository.take(english(), accept=True)
    assert (ended.code, ended.changed) == (0, True), ended.text
    rules = repository.read("generated/tensorslab_images/rules.py")
    assert 'LANGUAGE: Final = "en"' in rules
    assert "总像素范围" in rules  # the other language's sentences stay
    assert "RES_PIXELS_MINIMUM: Final[int] = 3686400" in rules
    assert 'language = "en"' in repository.read("openapi/SOURCE.toml")
    back = repository.take(PAGE)
    assert back.code == 0, back.text
    assert 'LANGUAGE: Final = "zh"' in repository.read("generated/tensorslab_images/rules.py")
    assert repository.take(english()).code == 0


# In a known edition a changed sentence stops as in the first one.
def test_a_change_within_the_other_edition(repository: RepositoryCopy) -> None:
    repository.take(english(), accept=True)
    ended = repository.take(english(sizes("3,686,400", "4,000,000")))
    assert (ended.code, ended.changed) == (3, False)
    assert "rule: RES-PIXELS" in ended.text
    assert "new edition" not in ended.text
    accepted = repository.take(english(sizes("3,686,400", "4,000,000")), accept=True)
    assert accepted.code == 0
    assert "RES_PIXELS_MINIMUM: Final[int] = 4000000" in repository.read("generated/tensorslab_images/rules.py")
    # the Chinese sentence holds the old number, so the ledger no longer keeps it for this rule
    row = repository.read("openapi/rules.yaml").split("RES-PIXELS:")[1].split("RES-EXAMPLES:")[0]
    assert "总像素" not in row


# A change of the schema is reported beside a new edition, which does not hide it.
def test_schema_change_inside_a_new_edition(repository: RepositoryCopy) -> None:
    ended = repository.take(english(lambda d: field(d, "batchsize").update(maximum=10)))
    assert "batchsize/maximum 15 -> 10: a narrowed limit" in ended.text
    assert "NOT EQUAL: maximum (10) is not there" in ended.text


# A page of the known language stays one, however much of its prose changed and whatever its address says.
def test_a_rewritten_page_is_not_a_new_edition(repository: RepositoryCopy) -> None:
    def rewrite(d: dict[str, Any]) -> None:
        for name in d["paths"]["/v1/images/seedreamv45"]["post"]["requestBody"]["content"]["multipart/form-data"][
            "schema"
        ]["properties"]:
            field(d, name).update(description=f"说明：{name}")

    found = document(rewrite)
    ended = repository.take(page(dump_yaml(found).encode(), INFO.replace(b"/zh/", b"/en/")))
    assert ended.code == 3
    assert "rule: RES-PIXELS" in ended.text
    assert "new edition" not in ended.text
