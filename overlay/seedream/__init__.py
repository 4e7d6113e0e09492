"""Client for the TensorsLab SeeDreamV4.5 image API: refuses a bad request before it costs, and never pays twice.

::

    from seedream import SeeDream

    with SeeDream() as client:
        print(client.generate("a lighthouse at dawn", resolution="16:9").files)
"""

from seedream._protocol.progress import Progress, ProgressCallback
from seedream._protocol.replies import TaskInfo
from seedream._protocol.retry import RetryPolicy
from seedream._request.source_images import Source, Sources
from seedream._request.submission import SubmitOptions
from seedream._support.log import configure as _configure_log
from seedream._support.timing import Clock, Timeouts
from seedream._version import __version__
from seedream.client import AsyncSeeDream, AsyncTask, SeeDream, Task
from seedream.errors import (
    AuthError,
    BudgetReached,
    ConfigError,
    DownloadError,
    InsufficientCredits,
    InvalidRequest,
    InvalidResolution,
    JournalError,
    JournalFull,
    JournalLocked,
    JournalTooNew,
    NotAPicture,
    NotSent,
    Problem,
    RateLimited,
    RawReply,
    Refused,
    Rejected,
    ResultExpired,
    SeeDreamError,
    StatusError,
    SubmissionUnknown,
    TaskFailed,
    TaskNotFound,
    TooLarge,
    Truncated,
    UnsafeUrl,
    WaitTimeout,
)
from seedream.pictures import Generated, Picture
from seedream.resolution import Resolution

__all__ = [
    "AsyncSeeDream",
    "AsyncTask",
    "AuthError",
    "BudgetReached",
    "Clock",
    "ConfigError",
    "DownloadError",
    "Generated",
    "InsufficientCredits",
    "InvalidRequest",
    "InvalidResolution",
    "JournalError",
    "JournalFull",
    "JournalLocked",
    "JournalTooNew",
    "NotAPicture",
    "NotSent",
    "Picture",
    "Problem",
    "Progress",
    "ProgressCallback",
    "RateLimited",
    "RawReply",
    "Refused",
    "Rejected",
    "Resolution",
    "ResultExpired",
    "RetryPolicy",
    "SeeDream",
    "SeeDreamError",
    "Source",
    "Sources",
    "StatusError",
    "SubmissionUnknown",
    "SubmitOptions",
    "Task",
    "TaskFailed",
    "TaskInfo",
    "TaskNotFound",
    "Timeouts",
    "TooLarge",
    "Truncated",
    "UnsafeUrl",
    "WaitTimeout",
    "__version__",
]

_configure_log()
