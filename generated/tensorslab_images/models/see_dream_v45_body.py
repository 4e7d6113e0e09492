# Made by `make generate` from the vendor's page; never edited by hand.
from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from .. import types
from ..types import UNSET, File, FileTypes, Unset

T = TypeVar("T", bound="SeeDreamV45Body")


@_attrs_define
class SeeDreamV45Body:
    """
    Attributes:
        prompt (str): 提示词（必填）
        category (str | Unset): 分类标识，默认为seedreamv45 Default: 'seedreamv45'.
        batchsize (int | Unset): 批量生成数量，1-15 Default: 1.
        resolution (str | Unset): 图片分辨率。支持三种格式：1) 宽高比（9:16、16:9、3:4、4:3、1:1、2:3、3:2），2) 分辨率档位（2K、4K），3) 具体尺寸（如
            2048x2048）。

            使用具体尺寸时需满足：
            - 总像素范围：[3,686,400, 16,777,216]（例如从 2560x1440 到 4096x4096）

            示例：3750x1250 有效（总像素 4,687,500）；1500x1500 无效（总像素 2,250,000，低于最低要求）。 Default: '2K'.
        source_images (list[File] | Unset): 源图片文件
        image_url (str | Unset): 源图片URL
    """

    prompt: str
    category: str | Unset = "seedreamv45"
    batchsize: int | Unset = 1
    resolution: str | Unset = "2K"
    source_images: list[File] | Unset = UNSET
    image_url: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        prompt = self.prompt

        category = self.category

        batchsize = self.batchsize

        resolution = self.resolution

        source_images: list[FileTypes] | Unset = UNSET
        if not isinstance(self.source_images, Unset):
            source_images = []
            for source_images_item_data in self.source_images:
                source_images_item = source_images_item_data.to_tuple()

                source_images.append(source_images_item)

        image_url = self.image_url

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "prompt": prompt,
            }
        )
        if category is not UNSET:
            field_dict["category"] = category
        if batchsize is not UNSET:
            field_dict["batchsize"] = batchsize
        if resolution is not UNSET:
            field_dict["resolution"] = resolution
        if source_images is not UNSET:
            field_dict["sourceImage"] = source_images
        if image_url is not UNSET:
            field_dict["imageUrl"] = image_url

        return field_dict

    def to_multipart(self) -> types.RequestFiles:
        files: types.RequestFiles = []

        files.append(("prompt", (None, str(self.prompt).encode(), "text/plain")))

        if not isinstance(self.category, Unset):
            files.append(
                ("category", (None, str(self.category).encode(), "text/plain"))
            )

        if not isinstance(self.batchsize, Unset):
            files.append(
                ("batchsize", (None, str(self.batchsize).encode(), "text/plain"))
            )

        if not isinstance(self.resolution, Unset):
            files.append(
                ("resolution", (None, str(self.resolution).encode(), "text/plain"))
            )

        if not isinstance(self.source_images, Unset):
            for source_images_item_element in self.source_images:
                files.append(("sourceImage", source_images_item_element.to_tuple()))

        if not isinstance(self.image_url, Unset):
            files.append(
                ("imageUrl", (None, str(self.image_url).encode(), "text/plain"))
            )

        for prop_name, prop in self.additional_properties.items():
            files.append((prop_name, (None, str(prop).encode(), "text/plain")))

        return files

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        prompt = d.pop("prompt")

        category = d.pop("category", UNSET)

        batchsize = d.pop("batchsize", UNSET)

        resolution = d.pop("resolution", UNSET)

        _source_images = d.pop("sourceImage", UNSET)
        source_images: list[File] | Unset = UNSET
        if _source_images is not UNSET:
            source_images = []
            for source_images_item_data in _source_images:
                source_images_item = File(payload=BytesIO(source_images_item_data))

                source_images.append(source_images_item)

        image_url = d.pop("imageUrl", UNSET)

        see_dream_v45_body = cls(
            prompt=prompt,
            category=category,
            batchsize=batchsize,
            resolution=resolution,
            source_images=source_images,
            image_url=image_url,
        )

        see_dream_v45_body.additional_properties = d
        return see_dream_v45_body

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
