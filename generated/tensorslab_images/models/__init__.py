# Made by `make generate` from the vendor's page; never edited by hand.
"""Contains all the data models used in inputs/outputs"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .base_response import BaseResponse
    from .deletion_reply import DeletionReply
    from .deletion_reply_deletion_data import DeletionReplyDeletionData
    from .failure_reply import FailureReply
    from .general_data import GeneralData
    from .general_response import GeneralResponse
    from .see_dream_v45_body import SeeDreamV45Body
    from .task_data import TaskData
    from .task_deletion import TaskDeletion
    from .task_query import TaskQuery
    from .task_reply import TaskReply

__all__ = (
    "BaseResponse",
    "DeletionReply",
    "DeletionReplyDeletionData",
    "FailureReply",
    "GeneralData",
    "GeneralResponse",
    "SeeDreamV45Body",
    "TaskData",
    "TaskDeletion",
    "TaskQuery",
    "TaskReply",
)
_MODULES = {
    "BaseResponse": ".base_response",
    "DeletionReply": ".deletion_reply",
    "DeletionReplyDeletionData": ".deletion_reply_deletion_data",
    "FailureReply": ".failure_reply",
    "GeneralData": ".general_data",
    "GeneralResponse": ".general_response",
    "SeeDreamV45Body": ".see_dream_v45_body",
    "TaskData": ".task_data",
    "TaskDeletion": ".task_deletion",
    "TaskQuery": ".task_query",
    "TaskReply": ".task_reply",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(_MODULES[name], __name__), name)
    raise AttributeError(name)
