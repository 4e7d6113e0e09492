# Made by `make generate` from the vendor's page; never edited by hand.
"""The operations that the client uses, by their role: the module of each, and the body of its request.

A page may rename an operation or move its body; these names stay. The modules are loaded when they are asked for,
because they load httpx.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .models.see_dream_v45_body import SeeDreamV45Body as SubmitBody
from .models.task_deletion import TaskDeletion as DeleteBody
from .models.task_query import TaskQuery as QueryBody

if TYPE_CHECKING:
    from .api.images import see_dream_v45 as submit
    from .api.tasks import delete_images_task as delete
    from .api.tasks import info_by_task_id as query

__all__ = ["DeleteBody", "QueryBody", "SubmitBody", "delete", "query", "submit"]
_MODULES = {
    "submit": ".api.images.see_dream_v45",
    "query": ".api.tasks.info_by_task_id",
    "delete": ".api.tasks.delete_images_task",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(_MODULES[name], __package__)
    raise AttributeError(name)
