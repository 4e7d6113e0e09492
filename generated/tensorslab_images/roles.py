# Made by `make generate` from the vendor's page; never edited by hand.
"""The operations that the client uses, by their role: the module of each, and the body of its request.

A page may rename an operation or move its body; these names stay. All are loaded when they are asked for: the modules
load httpx, and each body is a class that takes a while to make.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api.images import see_dream_v45 as submit
    from .api.tasks import delete_images_task as delete
    from .api.tasks import info_by_task_id as query
    from .models.see_dream_v45_body import SeeDreamV45Body as SubmitBody
    from .models.task_deletion import TaskDeletion as DeleteBody
    from .models.task_query import TaskQuery as QueryBody

__all__ = ["DeleteBody", "QueryBody", "SubmitBody", "delete", "query", "submit"]
_MODULES = {
    "submit": ".api.images.see_dream_v45",
    "query": ".api.tasks.info_by_task_id",
    "delete": ".api.tasks.delete_images_task",
}
_BODIES = {
    "SubmitBody": (".models.see_dream_v45_body", "SeeDreamV45Body"),
    "QueryBody": (".models.task_query", "TaskQuery"),
    "DeleteBody": (".models.task_deletion", "TaskDeletion"),
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(_MODULES[name], __package__)
    if name in _BODIES:
        module, body = _BODIES[name]
        globals()[name] = getattr(import_module(module, __package__), body)
        return globals()[name]
    raise AttributeError(name)
