# Made by `make generate` from the vendor's page; never edited by hand.
"""What the vendor's page says only in prose, as data: the rule ledger.

`RULES` holds one row a rule; each fact of a rule is a constant of its own, named after the rule and the fact.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from attrs import frozen

Scalar = str | int | float | bool
Fact = Scalar | tuple[Scalar, ...]


@frozen(kw_only=True, eq=False, repr=False)
class Rule:
    """One rule.

    Attributes:
        id: what error messages call it.
        pointer: JSON pointer into the effective spec (openapi.json beside this module).
        sentences: the vendor's exact words, by language of the page's edition; none when the page does not say it.
        summary: the rule in one English sentence of our own.
        standing: "stated" rules are enforced; others are supported or warned about, never enforced silently.
        source: "page", or where else it is known from.
        facts: numbers and lists in the sentence.
        mirrors: schema keywords that the sentence only repeats; they are enforced from `limits`.
        examples: the sentence's own, under "valid" and "invalid".
    """

    id: str
    pointer: str
    sentences: Mapping[str, str]
    summary: str
    standing: Literal["stated", "inferred", "contradicted"]
    source: str
    facts: Mapping[str, Fact]
    mirrors: tuple[str, ...]
    examples: Mapping[str, tuple[str, ...]]

    @property
    def sentence(self) -> str:
        """The vendor's words in the vendored edition, or the summary when they do not come from the page."""
        return self.sentences.get(LANGUAGE, self.summary)


LANGUAGE: Final = "zh"
"""Language of the vendored edition of the page."""

RES_RATIO_VALUES: Final[tuple[str, ...]] = (
    "9:16",
    "16:9",
    "3:4",
    "4:3",
    "1:1",
    "2:3",
    "3:2",
)
RES_TIER_VALUES: Final[tuple[str, ...]] = ("2K", "4K")
RES_PIXELS_MINIMUM: Final[int] = 3686400
RES_PIXELS_MAXIMUM: Final[int] = 16777216
RES_EXAMPLES_VALID_PIXELS: Final[int] = 4687500
RES_EXAMPLES_INVALID_PIXELS: Final[int] = 2250000
CODE_MEANING_SUCCESS: Final[int] = 1000
CODE_MEANING_FAILURE: Final[int] = 9999
CODE_MEANING_INSUFFICIENT_CREDITS: Final[int] = 9000
RESULT_EXPIRY_HOURS: Final[int] = 24
STATUS_MEANING_QUEUED: Final[int] = 1
STATUS_MEANING_PROCESSING: Final[int] = 2
STATUS_MEANING_COMPLETED: Final[int] = 3
STATUS_MEANING_FAILED: Final[int] = 4
AUTH_HEADER_SCHEME: Final[str] = "Bearer"

RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "RES-FORMAT": Rule(
            id="RES-FORMAT",
            pointer="/paths/~1v1~1images~1seedreamv45/post/requestBody/content/multipart~1form-data/schema/properties/resolution/description",
            sentences=MappingProxyType(
                {
                    "zh": "支持三种格式：1) 宽高比（9:16、16:9、3:4、4:3、1:1、2:3、3:2），2) 分辨率档位（2K、4K），3) 具体尺寸（如 2048x2048）。"
                }
            ),
            summary="A resolution is an aspect ratio, a tier, or an exact size written WIDTHxHEIGHT.",
            standing="stated",
            source="page",
            facts=MappingProxyType({}),
            mirrors=(),
            examples=MappingProxyType({"valid": ("2048x2048",)}),
        ),
        "RES-RATIO": Rule(
            id="RES-RATIO",
            pointer="/paths/~1v1~1images~1seedreamv45/post/requestBody/content/multipart~1form-data/schema/properties/resolution/description",
            sentences=MappingProxyType(
                {"zh": "宽高比（9:16、16:9、3:4、4:3、1:1、2:3、3:2）"}
            ),
            summary="An aspect ratio is one of those listed.",
            standing="stated",
            source="page",
            facts=MappingProxyType(
                {
                    "values": RES_RATIO_VALUES,
                }
            ),
            mirrors=(),
            examples=MappingProxyType({}),
        ),
        "RES-TIER": Rule(
            id="RES-TIER",
            pointer="/paths/~1v1~1images~1seedreamv45/post/requestBody/content/multipart~1form-data/schema/properties/resolution/description",
            sentences=MappingProxyType({"zh": "分辨率档位（2K、4K）"}),
            summary="A tier is one of those listed.",
            standing="stated",
            source="page",
            facts=MappingProxyType(
                {
                    "values": RES_TIER_VALUES,
                }
            ),
            mirrors=(),
            examples=MappingProxyType({}),
        ),
        "RES-PIXELS": Rule(
            id="RES-PIXELS",
            pointer="/paths/~1v1~1images~1seedreamv45/post/requestBody/content/multipart~1form-data/schema/properties/resolution/description",
            sentences=MappingProxyType(
                {
                    "zh": "总像素范围：[3,686,400, 16,777,216]（例如从 2560x1440 到 4096x4096）"
                }
            ),
            summary="The total pixels of an exact size lie within these bounds, both included.",
            standing="stated",
            source="page",
            facts=MappingProxyType(
                {
                    "minimum": RES_PIXELS_MINIMUM,
                    "maximum": RES_PIXELS_MAXIMUM,
                }
            ),
            mirrors=(),
            examples=MappingProxyType({"valid": ("2560x1440", "4096x4096")}),
        ),
        "RES-EXAMPLES": Rule(
            id="RES-EXAMPLES",
            pointer="/paths/~1v1~1images~1seedreamv45/post/requestBody/content/multipart~1form-data/schema/properties/resolution/description",
            sentences=MappingProxyType(
                {
                    "zh": "示例：3750x1250 有效（总像素 4,687,500）；1500x1500 无效（总像素 2,250,000，低于最低要求）。"
                }
            ),
            summary="The page's own examples of a valid and an invalid exact size.",
            standing="stated",
            source="page",
            facts=MappingProxyType(
                {
                    "valid_pixels": RES_EXAMPLES_VALID_PIXELS,
                    "invalid_pixels": RES_EXAMPLES_INVALID_PIXELS,
                }
            ),
            mirrors=(),
            examples=MappingProxyType(
                {"valid": ("3750x1250",), "invalid": ("1500x1500",)}
            ),
        ),
        "PROMPT-REQUIRED": Rule(
            id="PROMPT-REQUIRED",
            pointer="/paths/~1v1~1images~1seedreamv45/post/requestBody/content/multipart~1form-data/schema/properties/prompt/description",
            sentences=MappingProxyType({"zh": "提示词（必填）"}),
            summary="A prompt is required.",
            standing="stated",
            source="page",
            facts=MappingProxyType({}),
            mirrors=(),
            examples=MappingProxyType({}),
        ),
        "BATCH-RANGE": Rule(
            id="BATCH-RANGE",
            pointer="/paths/~1v1~1images~1seedreamv45/post/requestBody/content/multipart~1form-data/schema/properties/batchsize/description",
            sentences=MappingProxyType({"zh": "批量生成数量，1-15"}),
            summary="The number of pictures lies within the schema's bounds.",
            standing="stated",
            source="page",
            facts=MappingProxyType({}),
            mirrors=("minimum", "maximum"),
            examples=MappingProxyType({}),
        ),
        "CATEGORY-DEFAULT": Rule(
            id="CATEGORY-DEFAULT",
            pointer="/paths/~1v1~1images~1seedreamv45/post/requestBody/content/multipart~1form-data/schema/properties/category/description",
            sentences=MappingProxyType({"zh": "分类标识，默认为seedreamv45"}),
            summary="The category has a default; it names the model.",
            standing="stated",
            source="page",
            facts=MappingProxyType({}),
            mirrors=("default",),
            examples=MappingProxyType({}),
        ),
        "SOURCE-IMAGE": Rule(
            id="SOURCE-IMAGE",
            pointer="/paths/~1v1~1images~1seedreamv45/post/requestBody/content/multipart~1form-data/schema/properties/sourceImage/description",
            sentences=MappingProxyType({"zh": "源图片文件"}),
            summary="Source images are sent as files, any number of them.",
            standing="stated",
            source="page",
            facts=MappingProxyType({}),
            mirrors=(),
            examples=MappingProxyType({}),
        ),
        "IMAGE-URL": Rule(
            id="IMAGE-URL",
            pointer="/paths/~1v1~1images~1seedreamv45/post/requestBody/content/multipart~1form-data/schema/properties/imageUrl/description",
            sentences=MappingProxyType({"zh": "源图片URL"}),
            summary="A source image can be named by its URL instead of being sent.",
            standing="stated",
            source="page",
            facts=MappingProxyType({}),
            mirrors=(),
            examples=MappingProxyType({}),
        ),
        "CODE-MEANING": Rule(
            id="CODE-MEANING",
            pointer="/components/schemas/BaseResponse/properties/code/description",
            sentences=MappingProxyType(
                {"zh": "响应状态码：1000=成功，9999=失败，9000=积分不足"}
            ),
            summary="The code of a reply tells success, failure or insufficient credits; the HTTP status does not.",
            standing="stated",
            source="page",
            facts=MappingProxyType(
                {
                    "success": CODE_MEANING_SUCCESS,
                    "failure": CODE_MEANING_FAILURE,
                    "insufficient_credits": CODE_MEANING_INSUFFICIENT_CREDITS,
                }
            ),
            mirrors=(),
            examples=MappingProxyType({}),
        ),
        "CODE-NO-DATA": Rule(
            id="CODE-NO-DATA",
            pointer="/components/schemas/GeneralData/description",
            sentences=MappingProxyType({}),
            summary="A failure reply has no data, against the schema.",
            standing="inferred",
            source="the vendor's documented reply for insufficient credits",
            facts=MappingProxyType({}),
            mirrors=(),
            examples=MappingProxyType({}),
        ),
        "TASK-ID": Rule(
            id="TASK-ID",
            pointer="/components/schemas/GeneralData/properties/taskid/description",
            sentences=MappingProxyType({"zh": "任务ID，用于后续查询任务状态"}),
            summary="The reply names a task id, with which the task's state is asked for later.",
            standing="stated",
            source="page",
            facts=MappingProxyType({}),
            mirrors=(),
            examples=MappingProxyType({}),
        ),
        "RESULT-URL": Rule(
            id="RESULT-URL",
            pointer="/components/schemas/GeneralData/properties/url/description",
            sentences=MappingProxyType({"zh": "生成的图片URL（某些接口返回）"}),
            summary="Some operations answer with the picture's URL at once; do not count on it.",
            standing="stated",
            source="page",
            facts=MappingProxyType({}),
            mirrors=(),
            examples=MappingProxyType({}),
        ),
        "RESULT-EXPIRY": Rule(
            id="RESULT-EXPIRY",
            pointer="/components/schemas/TaskData/properties/url/description",
            sentences=MappingProxyType({}),
            summary="The address of a finished picture stops working after a day; download promptly, never with the API key.",
            standing="inferred",
            source="the maker of the model; links on the image host are signed",
            facts=MappingProxyType(
                {
                    "hours": RESULT_EXPIRY_HOURS,
                }
            ),
            mirrors=(),
            examples=MappingProxyType({}),
        ),
        "STATUS-MEANING": Rule(
            id="STATUS-MEANING",
            pointer="/components/schemas/TaskData/properties/image_status/description",
            sentences=MappingProxyType({}),
            summary="What the numbers of a task's status mean; any other number means that it is still running.",
            standing="inferred",
            source="the vendor's reference of the query operation",
            facts=MappingProxyType(
                {
                    "queued": STATUS_MEANING_QUEUED,
                    "processing": STATUS_MEANING_PROCESSING,
                    "completed": STATUS_MEANING_COMPLETED,
                    "failed": STATUS_MEANING_FAILED,
                }
            ),
            mirrors=(),
            examples=MappingProxyType({}),
        ),
        "AUTH-KEY": Rule(
            id="AUTH-KEY",
            pointer="/components/securitySchemes/ApiKeyAuth/description",
            sentences=MappingProxyType(
                {"zh": "API密钥认证，请在请求头中包含Authorization字段"}
            ),
            summary="The API key travels in the Authorization header.",
            standing="stated",
            source="page",
            facts=MappingProxyType({}),
            mirrors=("name",),
            examples=MappingProxyType({}),
        ),
        "AUTH-HEADER": Rule(
            id="AUTH-HEADER",
            pointer="/components/securitySchemes/ApiKeyAuth/description",
            sentences=MappingProxyType({}),
            summary="The header's value is the key after a scheme word.",
            standing="inferred",
            source="the vendor's own sample code",
            facts=MappingProxyType(
                {
                    "scheme": AUTH_HEADER_SCHEME,
                }
            ),
            mirrors=(),
            examples=MappingProxyType({}),
        ),
    }
)
