# Made by `make generate` from the vendor's page; never edited by hand.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="TaskData")


@_attrs_define
class TaskData:
    """The state of a task; a field may be missing until there is something to tell.

    Attributes:
        taskid (str):
        image_status (int): 1 queued, 2 processing, 3 completed, 4 failed. Open: other numbers mean still running.
        category (str | Unset): The model that works on it.
        starttime (str | Unset): YYYY-MM-DD HH:MM:SS, no time zone.
        url (list[str] | Unset): Addresses of the finished pictures, on another host; they expire.
        width (int | Unset): Width of the pictures in pixels.
        height (int | Unset): Height of the pictures in pixels.
        prompt (str | Unset):
        negative (str | Unset):
        origseed (int | Unset):
        error_message (str | Unset): Why the task failed.
    """

    taskid: str
    image_status: int
    category: str | Unset = UNSET
    starttime: str | Unset = UNSET
    url: list[str] | Unset = UNSET
    width: int | Unset = UNSET
    height: int | Unset = UNSET
    prompt: str | Unset = UNSET
    negative: str | Unset = UNSET
    origseed: int | Unset = UNSET
    error_message: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        taskid = self.taskid

        image_status = self.image_status

        category = self.category

        starttime = self.starttime

        url: list[str] | Unset = UNSET
        if not isinstance(self.url, Unset):
            url = self.url

        width = self.width

        height = self.height

        prompt = self.prompt

        negative = self.negative

        origseed = self.origseed

        error_message = self.error_message

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "taskid": taskid,
                "image_status": image_status,
            }
        )
        if category is not UNSET:
            field_dict["category"] = category
        if starttime is not UNSET:
            field_dict["starttime"] = starttime
        if url is not UNSET:
            field_dict["url"] = url
        if width is not UNSET:
            field_dict["width"] = width
        if height is not UNSET:
            field_dict["height"] = height
        if prompt is not UNSET:
            field_dict["prompt"] = prompt
        if negative is not UNSET:
            field_dict["negative"] = negative
        if origseed is not UNSET:
            field_dict["origseed"] = origseed
        if error_message is not UNSET:
            field_dict["error_message"] = error_message

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        taskid = d.pop("taskid")

        image_status = d.pop("image_status")

        category = d.pop("category", UNSET)

        starttime = d.pop("starttime", UNSET)

        url = cast(list[str], d.pop("url", UNSET))

        width = d.pop("width", UNSET)

        height = d.pop("height", UNSET)

        prompt = d.pop("prompt", UNSET)

        negative = d.pop("negative", UNSET)

        origseed = d.pop("origseed", UNSET)

        error_message = d.pop("error_message", UNSET)

        task_data = cls(
            taskid=taskid,
            image_status=image_status,
            category=category,
            starttime=starttime,
            url=url,
            width=width,
            height=height,
            prompt=prompt,
            negative=negative,
            origseed=origseed,
            error_message=error_message,
        )

        task_data.additional_properties = d
        return task_data

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
