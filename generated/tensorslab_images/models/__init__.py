# Made by `make generate` from the vendor's page; never edited by hand.
"""Contains all the data models used in inputs/outputs"""

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
