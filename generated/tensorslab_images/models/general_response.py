# Made by `make generate` from the vendor's page; never edited by hand.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.general_data import GeneralData


T = TypeVar("T", bound="GeneralResponse")


@_attrs_define
class GeneralResponse:
    """通用响应

    Attributes:
        code (int): 响应状态码：1000=成功，9999=失败，9000=积分不足
        msg (str): 响应消息
        data (GeneralData): 通用数据响应
    """

    code: int
    msg: str
    data: GeneralData
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        code = self.code

        msg = self.msg

        data = self.data.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "code": code,
                "msg": msg,
                "data": data,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.general_data import GeneralData  # noqa: PLC0415

        d = dict(src_dict)
        code = d.pop("code")

        msg = d.pop("msg")

        data = GeneralData.from_dict(d.pop("data"))

        general_response = cls(
            code=code,
            msg=msg,
            data=data,
        )

        general_response.additional_properties = d
        return general_response

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
