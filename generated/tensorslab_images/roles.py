# Made by `make generate` from the vendor's page; never edited by hand.
"""The operations that the client uses, by their role: the module of each, and the body of its request.

A page may rename an operation or move its body; these names stay.
"""

from .api.images import see_dream_v45 as submit
from .api.tasks import delete_images_task as delete
from .api.tasks import info_by_task_id as query
from .models.see_dream_v45_body import SeeDreamV45Body as SubmitBody
from .models.task_deletion import TaskDeletion as DeleteBody
from .models.task_query import TaskQuery as QueryBody

__all__ = ["DeleteBody", "QueryBody", "SubmitBody", "delete", "query", "submit"]
