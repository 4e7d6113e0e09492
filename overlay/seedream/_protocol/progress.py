"""Where a task is, for a progress display."""

from collections.abc import Callable
from typing import Any, Literal

from attrs import frozen


@frozen
class Progress:
    """Where a task is, for a progress display.

    Attributes:
        stage: ``retrying`` before a submission is sent again, ``waiting`` after each query, ``downloading`` while a
            picture comes in, ``saved`` after each picture.
        taskid: The task's id.
        elapsed: Seconds since the wait, or the download of this picture, began.
        state: The task's state (see TaskInfo.state).
        index: The picture's index from 0, when downloading or saved.
        total: How many pictures there are, when downloading or saved.
        received: Bytes of this picture so far.
        size: Bytes of this picture in all, if known.
        pause: Seconds until the next try, when retrying; ``state`` then says why, for example ``rate limited``.
    """

    stage: Literal["retrying", "waiting", "downloading", "saved"]
    taskid: str
    elapsed: float
    state: str = ""
    index: int | None = None
    total: int | None = None
    received: int = 0
    size: int | None = None
    pause: float = 0.0


ProgressCallback = Callable[[Progress], Any]  # the async client awaits what it returns, if that can be awaited
