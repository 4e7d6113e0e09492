"""Wrong pages, overlay documents, ledgers and generated clients: small edits of a copy, rebuilt by the pipeline.

An edit of the page that the ledger does not follow is put to `make generate`, which must stop and name the rule. Where
page and ledger say the same wrong thing everything builds: then only the judge, typed by hand, can find it.
Nothing here imports the package: it is loaded again from each wrong copy.
"""

# ruff: noqa: E501 -- one fault a line reads as a table

import re
from dataclasses import dataclass
from pathlib import Path

from facts import DEFAULTS, FEWEST, LARGEST, LEAST, MOST, RATIOS, SERVER

PAGE, OVERLAY, LEDGER = "openapi/seedreamv45.yaml", "openapi/overlay.yaml", "openapi/rules.yaml"
SETTINGS, GENERATED = "openapi/generator.yaml", "generated/tensorslab_images"
STOP = "(the pipeline stops)"  # for what it refuses on its own ground, without a rule of the ledger
_BODY = f"{GENERATED}/models/see_dream_v45_body.py"


@dataclass(frozen=True)
class Edit:
    """Each occurrence of some text in a file becomes another; it must occur."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class WrongSpec:
    """A wrong description of the API.

    Attributes:
        name: What is wrong.
        expected: Ids of the rules under which it may be found, separated by spaces; or STOP.
        edits: What to change.
        page_only: Whether it is a new page that `make generate` is given, instead of a change of our inputs.
    """

    name: str
    expected: str
    edits: tuple[Edit, ...]
    page_only: bool = False


def _page(name: str, expected: str, old: str, new: str) -> WrongSpec:
    return WrongSpec(name, expected, (Edit(PAGE, old, new),))


def _prose(name: str, expected: str, old: str, new: str) -> WrongSpec:
    return WrongSpec(name, expected, (Edit(PAGE, old, new),), page_only=True)


def _overlay(name: str, expected: str, old: str, new: str) -> WrongSpec:
    return WrongSpec(name, expected, (Edit(OVERLAY, old, new),))


def _ledger(name: str, expected: str, old: str, new: str) -> WrongSpec:
    return WrongSpec(name, expected, (Edit(LEDGER, old, new),))


def _both(name: str, expected: str, *changes: tuple[str, str], facts: tuple[str, str] | None = None) -> WrongSpec:
    """ApiFacts and ledger say the same wrong thing."""
    edits = [Edit(file, old, new) for old, new in changes for file in (PAGE, LEDGER)]
    return WrongSpec(name, expected, (*edits, *([Edit(LEDGER, *facts)] if facts else [])))


def _code(name: str, expected: str, file: str, old: str, new: str) -> WrongSpec:
    return WrongSpec(name, expected, (Edit(file, old, new),))


_BATCH, _MORE = f"maximum: {LARGEST}", " " * 18  # the indentation of a field's keywords
_MOST, _LEAST = f"maximum: {MOST}", f"minimum: {LEAST}"


def _default(name: str) -> str:
    """Return the line of the page with a field's default, however it is quoted there."""
    page = (Path(__file__).resolve().parents[2] / PAGE).read_text("utf-8")
    found = re.search(rf"\n +{name}:\n(?:.*\n)*? +(default: .*)\n", page)
    return found[1] if found else f"default: (the page gives {name} none)"


_CATEGORY, _RESOLUTION, _ONE = map(_default, ("category", "resolution", "batchsize"))
WRONG_SPECS = (
    _page("a larger batch", "BATCH-RANGE", _BATCH, f"maximum: {LARGEST + 1}"),
    _page("a smaller batch", "BATCH-RANGE", _BATCH, f"maximum: {LARGEST - 1}"),
    _page("a batch of none", "BATCH-RANGE", f"minimum: {FEWEST}\n", f"minimum: {FEWEST - 1}\n"),
    _page("a batch of two at least", "BATCH-RANGE", f"minimum: {FEWEST}\n", f"minimum: {FEWEST + 1}\n"),
    _page("no upper limit of the batch", "BATCH-RANGE", f"{_MORE}{_BATCH}\n", ""),
    _page("no lower limit of the batch", "BATCH-RANGE", f"{_MORE}minimum: {FEWEST}\n", ""),
    _page("an open upper limit", "BATCH-RANGE", _BATCH, f"{_BATCH}\n{_MORE}exclusiveMaximum: true"),
    _page("a fraction of a picture", "BATCH-RANGE", "type: integer\n                  description: 批量", "type: number\n                  description: 批量"),
    _page("a batch as text", "BATCH-RANGE", "type: integer\n                  description: 批量", "type: string\n                  description: 批量"),
    _page("one picture more by default", "BATCH-RANGE PAY-KNOWN SERVER-CHARGE", f"{_ONE}\n", f"default: {DEFAULTS['batchsize'] + 1}\n"),
    _page("only batches of odd size", "BATCH-RANGE", f"{_BATCH}\n", f"{_BATCH}\n{_MORE}multipleOf: 3\n"),
    _page("the sibling's path", "WIRE-HTTP", "/v1/images/seedreamv45:", "/v1/images/seedreamv5:"),
    _page("another server", "KEY-PRIVATE", SERVER, "https://api.tensorslab.example"),
    _page("a server without encryption", STOP, SERVER, SERVER.replace("https", "http")),
    _page("a short prompt", "PROMPT-REQUIRED", "description: 提示词（必填）", "description: 提示词（必填）\n                  maxLength: 100"),
    _page("a prompt in one line", "PROMPT-REQUIRED", "description: 提示词（必填）", "description: 提示词（必填）\n                  pattern: ^[^\\n]*$"),
    _page("one category", "CATEGORY-DEFAULT WIRE-EXACT", f"{_CATEGORY}\n", f"{_CATEGORY}\n{_MORE}enum: [{DEFAULTS['category']}]\n"),
    _page("another default category", "CATEGORY-DEFAULT", f"{_CATEGORY}\n", "default: seedreamv4\n"),
    _page("another default resolution", "RES-FORMAT RES-TIER", _RESOLUTION, f"default: '{RATIOS[2]}'"),
    _page("no size in pixels", "RES-FORMAT RES-PIXELS RES-TIER", _RESOLUTION, f"{_RESOLUTION}\n{_MORE}pattern: '^([0-9]+:[0-9]+|[0-9]+K)$'"),
    _page("two source images at most", "SOURCE-IMAGE", "description: 源图片文件", "description: 源图片文件\n                  maxItems: 2"),
    _page("one source image", "SOURCE-IMAGE",
          "                  type: array\n                  items:\n                    type: string\n                    format: binary\n",
          "                  type: string\n                  format: binary\n"),
    _page("source images as text", "SOURCE-IMAGE WIRE-BOUNDARY", "                    format: binary\n", ""),
    _page("the key in another header", "AUTH-KEY", "name: Authorization", "name: X-API-Key"),
    _page("the key in the address", STOP, "in: header", "in: query"),
    _page("no key at all", "AUTH-KEY", "      security:\n        - ApiKeyAuth: []\n", ""),
    _page("a form of another kind", STOP, "multipart/form-data", "application/x-www-form-urlencoded"),
    _page("codes as text", "SERVER-ENVELOPE CODE-MEANING",
          "type: integer\n          description: 响应状态码", "type: string\n          description: 响应状态码"),
    _page("task ids as numbers", "SERVER-ENVELOPE TASK-ID",
          "type: string\n          description: 任务ID", "type: integer\n          description: 任务ID"),
    # Only prose of the page: the ledger's sentence is not found again, and the update stops.
    _prose("fewest pixels, only in the prose", "RES-PIXELS", f"{LEAST:,}, {MOST:,}", f"{LEAST + 1:,}, {MOST:,}"),
    _prose("most pixels, only in the prose", "RES-PIXELS", f"{MOST:,}]（", f"{MOST + 1:,}]（"),
    _prose("a ratio dropped, only in the prose", "RES-RATIO", "2:3、3:2）", "2:3）"),
    _prose("a tier dropped, only in the prose", "RES-TIER", "（2K、4K）", "（2K）"),
    _prose("codes swapped, only in the prose", "CODE-MEANING", "9999=失败，9000=积分不足", "9000=失败，9999=积分不足"),
    _prose("the prompt is optional, only in the prose", "PROMPT-REQUIRED", "提示词（必填）", "提示词（选填）"),
    _prose("the batch, only in the prose", "BATCH-RANGE", "批量生成数量，1-", "批量生成数量，2-"),
    # ApiFacts and ledger agree on what is wrong.
    _both("one pixel less", "RES-PIXELS", (f"{LEAST:,}", f"{LEAST - 1:,}"), facts=(_LEAST, f"minimum: {LEAST - 1}")),
    _both("one pixel more at least", "RES-PIXELS", (f"{LEAST:,}", f"{LEAST + 1:,}"), facts=(_LEAST, f"minimum: {LEAST + 1}")),
    _both("one pixel more at most", "RES-PIXELS", (f"{MOST:,}", f"{MOST + 1:,}"), facts=(_MOST, f"maximum: {MOST + 1}")),
    _both("one pixel less at most", "RES-PIXELS", (f"{MOST:,}", f"{MOST - 1:,}"), facts=(_MOST, f"maximum: {MOST - 1}")),
    _both("without 3:2", "RES-RATIO", ("、3:2）", "）"), facts=(", '3:2']", "]")),
    _both("5:2 instead of 2:3", "RES-RATIO", ("2:3、", "5:2、"), facts=("'2:3'", "'5:2'")),
    _both("5:4 besides", "RES-RATIO", ("3:2）", "3:2、5:4）"), facts=("'3:2']", "'3:2', '5:4']")),
    _both("8K instead of 4K", "RES-TIER", ("（2K、4K）", "（2K、8K）"), facts=("[2K, 4K]", "[2K, 8K]")),
    _both("1K besides", "RES-TIER", ("（2K、4K）", "（1K、2K、4K）"), facts=("[2K, 4K]", "[1K, 2K, 4K]")),
    _both("failure and credits swapped", "CODE-MEANING", ("9999=失败，9000=积分不足", "9000=失败，9999=积分不足"),
          facts=("failure: 9999\n      insufficient_credits: 9000", "failure: 9000\n      insufficient_credits: 9999")),
    _both("success is 200", "CODE-MEANING SERVER-PICTURES STATUS-MEANING", ("1000=成功", "200=成功"), facts=("success: 1000", "success: 200")),
    _both("credits are 9001", "CODE-MEANING", ("9000=积分不足", "9001=积分不足"), facts=("insufficient_credits: 9000", "insufficient_credits: 9001")),
    _both("failure is 9998", "CODE-MEANING", ("9999=失败", "9998=失败"), facts=("failure: 9999", "failure: 9998")),
    WrongSpec("imageUrl renamed", "IMAGE-URL WIRE-EXACT", (
        Edit(PAGE, "imageUrl:", "image_url:"), Edit(LEDGER, "request/imageUrl", "request/image_url"),
        Edit(SETTINGS, "imageUrl", "image_url"), Edit("openapi/reviewed.yaml", "request/imageUrl", "request/image_url"))),
    WrongSpec("category renamed", "CATEGORY-DEFAULT WIRE-EXACT", (
        Edit(PAGE, "                category:", "                categories:"), Edit(LEDGER, "request/category", "request/categories"),
        Edit(SETTINGS, "category", "categories"))),
    # Only the ledger, where the page says nothing.
    _ledger("completed and failed swapped", "STATUS-MEANING", "completed: 3\n      failed: 4", "completed: 4\n      failed: 3"),
    _ledger("queued and processing swapped", "STATUS-MEANING", "queued: 1\n      processing: 2", "queued: 2\n      processing: 1"),
    _ledger("completed is 5", "STATUS-MEANING", "completed: 3", "completed: 5"),
    _ledger("the key after another word", "AUTH-HEADER AUTH-KEY", "scheme: Bearer", "scheme: Token"),
    _ledger("the key after a word in small letters", "AUTH-HEADER", "scheme: Bearer", "scheme: bearer"),
    _ledger("pictures for two days", "RESULT-EXPIRY", "hours: 24", "hours: 48"),
    _ledger("the pixels are only inferred", "RES-PIXELS",
            "RES-PIXELS:\n    at: submit/request/resolution\n    standing: stated", "RES-PIXELS:\n    at: submit/request/resolution\n    standing: inferred"),
    _ledger("the valid example is the invalid one", "RES-EXAMPLES", "valid: [3750x1250]\n      invalid: [1500x1500]",
            "valid: [1500x1500]\n      invalid: [3750x1250]"),
    # The overlay document.
    _overlay("the prompt is not required", "PROMPT-REQUIRED WIRE-EXACT", "update: {required: [prompt]}", "update: {required: [batchsize]}"),
    _overlay("another path of the query", "WIRE-HTTP TASK-ID", "/v1/images/infobytaskid:", "/v1/images/infobytaskids:"),
    _overlay("another path of the deletion", "WIRE-HTTP TASK-ID", "/v1/images/deleteimagestask:", "/v1/images/deletetask:"),
    _overlay("another field of the query", "TASK-ID",
             "taskid: {type: string, minLength: 1, description: The id that the submission returned.}\n        required: [taskid]",
             "task_id: {type: string, minLength: 1, description: The id that the submission returned.}\n        required: [task_id]"),
    _overlay("longer ids in queries", "TASK-ID", "taskid: {type: string, minLength: 1", "taskid: {type: string, minLength: 100"),
    _overlay("ten ids to delete at least", "TASK-ID", "minItems: 1", "minItems: 10"),
    _overlay("refusals with data", "SERVER-ENVELOPE CODE-NO-DATA",
             "msg: {type: string, description: The reason in the vendor's words.}\n        required: [code, msg]",
             "msg: {type: string, description: The reason in the vendor's words.}\n          data: {type: object}\n        required: [code, msg, data]"),
    _overlay("statuses as text", "SERVER-ENVELOPE STATUS-MEANING", "image_status:\n            type: integer", "image_status:\n            type: string"),
    _overlay("one address instead of a list", "SERVER-ENVELOPE", "url:\n            type: array\n            items: {type: string}", "url:\n            type: string"),
    _overlay("states only with their reason", "SERVER-ENVELOPE", "required: [taskid, image_status]", "required: [taskid, image_status, reason]"),
    _overlay("a link to no id", "TASK-ID", "requestBody: {taskid: $response.body#/data/taskid}", "requestBody: {taskid: $response.body#/data/id}"),
    # The generated client itself.
    _code("a URL that is not sent", "IMAGE-URL", _BODY, '("imageUrl", (None,', '("image", (None,'),
    _code("the prompt in another form", "PROMPT-REQUIRED WIRE-EXACT", _BODY, "str(self.prompt).encode()", "repr(self.prompt).encode()"),
    _code("one source image of many", "SOURCE-IMAGE", _BODY, "for source_images_item_element in self.source_images:",
          "for source_images_item_element in self.source_images[:1]:"),
    _code("PUT", "WIRE-HTTP", f"{GENERATED}/limits.py", 'method="POST",\n    path="/v1/images/seedreamv45"', 'method="PUT",\n    path="/v1/images/seedreamv45"'),
    _code("no key for queries", "AUTH-KEY", f"{GENERATED}/limits.py", 'AUTH_HEADER: Final = "Authorization"', 'AUTH_HEADER: Final = "X-Authorization"'),
)  # fmt: skip
