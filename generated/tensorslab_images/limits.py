# Made by `make generate` from the vendor's page; never edited by hand.
"""What the effective spec says in machine-readable form, as data: server, operations, fields, limits.

Nothing here is typed by hand, so a changed limit of the vendor's needs no edit anywhere else.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from attrs import frozen

Scalar = str | int | float | bool
Number = int | float


@frozen(kw_only=True, eq=False, repr=False)
class Field:
    """One field of a request body.

    Attributes:
        name: on the wire.
        attribute: of the generated body class; also the parameter of the client.
        kind: of the value, or of each item when `many`.
        many: the field is an array.
        enum: allowed values; empty when any is.
        pattern: for `re.search`; translated from the spec's ECMA-262.
        description: the vendor's prose, as it is.
    """

    name: str
    attribute: str
    kind: Literal["string", "integer", "number", "boolean", "binary", "object"]
    many: bool = False
    required: bool = False
    nullable: bool = False
    default: Scalar | None = None
    enum: tuple[Scalar, ...] = ()
    minimum: Number | None = None
    maximum: Number | None = None
    exclusive_minimum: Number | None = None
    exclusive_maximum: Number | None = None
    multiple_of: Number | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    format: str | None = None
    min_items: int | None = None
    max_items: int | None = None
    unique_items: bool = False
    description: str = ""

    def is_multiple(self, number: Number) -> bool:
        """Whether the number is a multiple of `multiple_of`, reckoned exactly as both are written."""
        if self.multiple_of is None:
            return True
        from fractions import Fraction

        return (
            Fraction(str(number)) / Fraction(str(self.multiple_of))
        ).denominator == 1


@frozen(kw_only=True, eq=False, repr=False)
class Operation:
    """One operation: how to send it, and the fields of its request body (none when it has no body)."""

    id: str
    method: str
    path: str
    media_type: str
    secured: bool
    fields: tuple[Field, ...]

    def field(self, name: str) -> Field:
        """The field with that name on the wire.

        Raises:
            KeyError: there is none.
        """
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)


SEE_DREAM_V45: Final = Operation(
    id="seeDreamV45",
    method="POST",
    path="/v1/images/seedreamv45",
    media_type="multipart/form-data",
    secured=True,
    fields=(
        Field(
            name="category",
            attribute="category",
            required=False,
            kind="string",
            default="seedreamv45",
            description="分类标识，默认为seedreamv45",
        ),
        Field(
            name="prompt",
            attribute="prompt",
            required=True,
            kind="string",
            description="提示词（必填）",
        ),
        Field(
            name="batchsize",
            attribute="batchsize",
            required=False,
            kind="integer",
            default=1,
            minimum=1,
            maximum=15,
            description="批量生成数量，1-15",
        ),
        Field(
            name="resolution",
            attribute="resolution",
            required=False,
            kind="string",
            default="2K",
            description="图片分辨率。支持三种格式：1) 宽高比（9:16、16:9、3:4、4:3、1:1、2:3、3:2），2) 分辨率档位（2K、4K），3) 具体尺寸（如 2048x2048）。\n\n使用具体尺寸时需满足：\n- 总像素范围：[3,686,400, 16,777,216]（例如从 2560x1440 到 4096x4096）\n\n示例：3750x1250 有效（总像素 4,687,500）；1500x1500 无效（总像素 2,250,000，低于最低要求）。",
        ),
        Field(
            name="sourceImage",
            attribute="source_images",
            required=False,
            kind="binary",
            many=True,
            description="源图片文件",
        ),
        Field(
            name="imageUrl",
            attribute="image_url",
            required=False,
            kind="string",
            description="源图片URL",
        ),
    ),
)

INFO_BY_TASK_ID: Final = Operation(
    id="infoByTaskId",
    method="POST",
    path="/v1/images/infobytaskid",
    media_type="application/json",
    secured=True,
    fields=(
        Field(
            name="taskid",
            attribute="taskid",
            required=True,
            kind="string",
            min_length=1,
            description="The id that the submission returned.",
        ),
    ),
)

DELETE_IMAGES_TASK: Final = Operation(
    id="deleteImagesTask",
    method="POST",
    path="/v1/images/deleteimagestask",
    media_type="application/json",
    secured=True,
    fields=(
        Field(
            name="taskids",
            attribute="taskids",
            required=True,
            kind="string",
            many=True,
            min_items=1,
            min_length=1,
            description="Ids of the tasks to delete.",
        ),
        Field(
            name="uid",
            attribute="uid",
            required=False,
            kind="string",
            description="The account; the one of the key when left out.",
        ),
    ),
)

OPERATIONS: Final[Mapping[str, Operation]] = MappingProxyType(
    {
        "seeDreamV45": SEE_DREAM_V45,
        "infoByTaskId": INFO_BY_TASK_ID,
        "deleteImagesTask": DELETE_IMAGES_TASK,
    }
)

"""Every operation by its operationId."""

SUBMIT: Final = SEE_DREAM_V45
QUERY: Final = INFO_BY_TASK_ID
DELETE: Final = DELETE_IMAGES_TASK

SERVER: Final = "https://api.tensorslab.com"
AUTH_SCHEME: Final = "ApiKeyAuth"
AUTH_HEADER: Final = "Authorization"
