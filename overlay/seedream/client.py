"""The clients and the tasks they return. The workflows they run are in _protocol."""

from collections.abc import Mapping
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, NoReturn, Self, TypeVar, Union, Unpack
from urllib.parse import urlsplit

import httpx
from attrs import field, frozen

from seedream._files.partial_file import ensure_writable
from seedream._protocol import download, tasks
from seedream._protocol.effects import Workflow, run_async, run_in_thread, run_sync
from seedream._protocol.progress import ProgressCallback
from seedream._protocol.replies import TaskInfo
from seedream._protocol.retry import RetryPolicy
from seedream._protocol.service import ApiConfig
from seedream._protocol.submit import SubmissionObserver, submit
from seedream._protocol.transfer import MAX_PICTURE, DownloadOptions
from seedream._request.submission import Submission, SubmitOptions, check_submit
from seedream._support import config
from seedream._support.addresses import is_loopback
from seedream._support.redact import install_log_filter, redact, short_repr
from seedream._support.timing import Clock, SystemClock, Timeouts
from seedream._transport.connections import NetworkOptions
from seedream._transport.environment import Verify
from seedream._transport.http import AsyncHTTP, SyncHTTP
from seedream.errors import InvalidRequest, Problem, SeeDreamError

if TYPE_CHECKING:
    from seedream.journal import Journal

T = TypeVar("T")
DEFAULT_WAIT: Final = 600.0  # seconds
ClientT = TypeVar("ClientT", "SeeDream", "AsyncSeeDream")
JournalPath = Union["Journal", str, PathLike[str], None]


def _open_journal(given: JournalPath) -> "tuple[Journal | None, bool]":
    """The journal, and whether it is ours to close. SQLite is loaded only where it is used."""
    if given is None:
        return None, False
    from seedream.journal import Journal  # noqa: PLC0415 -- see above

    return (given, False) if isinstance(given, Journal) else (Journal(Path(given)), True)


def _directory(given: object) -> Path:
    try:
        return Path(given)  # type: ignore[arg-type]  # whatever it is
    except TypeError:
        pass
    raise InvalidRequest(Problem("output_dir", f"{short_repr(given)} is no path", hint="Give a path."))


@frozen
class _TaskHandle(Generic[ClientT]):
    """What both handles are: the id, how many images were asked for (if known), and the workflows."""

    id: str
    _client: ClientT = field(repr=False, eq=False)
    images: int | None = field(default=None, eq=False)

    def _refresh(self) -> Workflow[TaskInfo]:
        return tasks.query(self._client.service, self.id)

    def _wait(self, timeout: float, progress: ProgressCallback | None) -> Workflow[TaskInfo]:
        tasks.check_wait(timeout, progress)
        return tasks.wait(self._client.service, self.id, timeout=timeout, images=self.images, progress=progress)

    def _save(
        self,
        directory: str | PathLike[str],
        timeout: float,
        max_bytes: int,
        progress: ProgressCallback | None,
    ) -> Workflow[list[Path]]:
        tasks.check_wait(timeout, progress)
        service, options = self._client.service, DownloadOptions(max_bytes=max_bytes, progress=progress)
        _, files = yield from download.wait_and_save(
            service, self.id, Path(directory), images=self.images, timeout=timeout, options=options
        )
        return files

    def _delete(self) -> Workflow[None]:
        return tasks.delete(self._client.service, (self.id,))


class Task(_TaskHandle["SeeDream"]):
    """A submitted task.

    Attributes:
        id: The task's id.
        images: How many images were asked for; None when the handle was made from an id alone.
    """

    def refresh(self) -> TaskInfo:
        """Ask for the task's state now.

        Raises:
            StatusError, AuthError: No usable answer.
        """
        return self._client.run(self._refresh())

    def wait(self, *, timeout: float = DEFAULT_WAIT, progress: ProgressCallback | None = None) -> TaskInfo:
        """Wait until the task is completed.

        Args:
            timeout: Deadline in seconds.
            progress: Called after each query.

        Raises:
            TaskFailed: The task ended as failed.
            WaitTimeout: It still runs at the deadline; it is not lost.
            StatusError, AuthError: It cannot be asked for.
        """
        return self._client.run(self._wait(timeout, progress))

    def save(
        self,
        directory: str | PathLike[str] = ".",
        *,
        timeout: float = DEFAULT_WAIT,
        max_bytes: int = MAX_PICTURE,
        progress: ProgressCallback | None = None,
    ) -> list[Path]:
        """Wait if need be, then save the pictures as ``<task id>-<number>.<extension>``.

        Each is written atomically and kept if it is there already and whole.

        Args:
            directory: Where; it is made if missing.
            timeout: Deadline for the wait in seconds; each picture has one of its own, of five minutes.
            max_bytes: Limit for one picture.
            progress: Called while waiting and downloading.

        Returns:
            The pictures' paths, in order.

        Raises:
            DownloadError: Some pictures are missing; ``files`` and ``errors`` tell which.
            TaskFailed, WaitTimeout, StatusError, AuthError: As for ``wait``.
        """
        return self._client.run(self._save(directory, timeout, max_bytes, progress))

    def delete(self) -> None:
        """Delete the task and its pictures on the server.

        Raises:
            StatusError, AuthError: No usable answer.
        """
        self._client.run(self._delete())


class AsyncTask(_TaskHandle["AsyncSeeDream"]):
    """A submitted task of an AsyncSeeDream; the methods of Task as coroutines."""

    async def refresh(self) -> TaskInfo:
        """See Task.refresh."""
        return await self._client.run(self._refresh())

    async def wait(self, *, timeout: float = DEFAULT_WAIT, progress: ProgressCallback | None = None) -> TaskInfo:
        """See Task.wait."""
        return await self._client.run(self._wait(timeout, progress))

    async def save(
        self,
        directory: str | PathLike[str] = ".",
        *,
        timeout: float = DEFAULT_WAIT,
        max_bytes: int = MAX_PICTURE,
        progress: ProgressCallback | None = None,
    ) -> list[Path]:
        """See Task.save."""
        return await self._client.run(self._save(directory, timeout, max_bytes, progress))

    async def delete(self) -> None:
        """See Task.delete."""
        await self._client.run(self._delete())


@frozen
class Generated:
    """What ``generate`` gives: the task's id and state, and the pictures' paths in order."""

    taskid: str
    info: TaskInfo
    files: list[Path]


class _Client:
    """Configuration and workflows, common to both."""

    service: ApiConfig
    _http: Any
    _io: Any

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        transport: Any = None,
        verify: Verify | None = None,
        proxy: str | None = None,
        headers: Mapping[str, str] | None = None,
        reuse_submit_connections: float = 0.0,
        timeouts: Timeouts | None = None,
        retry: RetryPolicy | None = None,
        clock: Clock | None = None,
        journal: JournalPath = None,
    ) -> None:
        url = config.base_url(base_url)
        self._clock = clock or SystemClock()
        self.service = ApiConfig(
            base_url=url,
            key=config.api_key(api_key),
            local=is_loopback(urlsplit(url).hostname or ""),
            timeouts=timeouts or Timeouts(),
            retry=retry or RetryPolicy(),
            now=self._clock.time,
        )
        install_log_filter(self.service.key)
        self._io = self._http(
            transport,
            self.service.timeouts,
            self._clock,
            self.service.key,
            config.default_headers(headers),
            NetworkOptions.checked(verify, proxy, reuse_submit_connections, transport),
        )
        self._journal, self._own_journal = _open_journal(journal)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self.service.base_url!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} holds a key and connections: make a new one where it is needed")

    def submission_workflow(self, submission: Submission, observer: SubmissionObserver | None = None) -> Workflow[str]:
        """The submit workflow for a checked submission, recorded in the journal; gives the task's id."""
        journal = self._journal
        if observer is None and journal is not None:
            seen = {
                name: redact(value) if isinstance(value, str) else value for name, value in submission.values.items()
            }
            observer = yield from run_in_thread(
                lambda: journal.open_single_call(submission.digest, seen, submission.images)
            )
        return (yield from submit(self.service, submission, observer))

    def _close_journal(self) -> None:
        if self._own_journal and self._journal is not None:
            self._journal.close()

    def _generate(
        self, submission: Submission, output_dir: str | PathLike[str], timeout: float, progress: ProgressCallback | None
    ) -> Workflow[Generated]:
        tasks.check_wait(timeout, progress)
        directory = _directory(output_dir)
        yield from run_in_thread(partial(ensure_writable, directory))
        taskid = yield from self.submission_workflow(submission)
        try:
            options, images = DownloadOptions(progress=progress), submission.images
            info, files = yield from download.wait_and_save(
                self.service, taskid, directory, images=images, timeout=timeout, options=options
            )
        except BaseException as error:
            if not isinstance(error, SeeDreamError):
                error.add_note(f"Task {taskid} is paid for: client.task({taskid!r}).save() fetches it.")
            raise
        return Generated(taskid, info, files)


class SeeDream(_Client):
    """The client, blocking. Threads may share one.

    Args:
        api_key: The key; by default from the environment variable TENSORSLAB_API_KEY.
        base_url: The service; by default from TENSORSLAB_BASE_URL, else the spec's server.
        transport: An httpx transport, for tests or special networks; ``verify`` and ``proxy`` do without one.
        verify: Certificates to trust: a CA bundle (file or directory) or an ssl.SSLContext. By default those of
            SSL_CERT_FILE or SSL_CERT_DIR, else of the certifi package.
        proxy: URL of a proxy for every request (http, https, socks5, socks5h). By default that of HTTPS_PROXY or
            ALL_PROXY, but for the hosts in NO_PROXY.
        headers: Further headers of each request to the API, for a gateway for example. They never go to image hosts.
        reuse_submit_connections: Seconds for which an idle connection may carry the next submission. By default (0)
            each submission has a connection of its own, because a kept one that the server is just closing fails
            in a way that looks as if it had been billed. Queries and downloads always reuse connections.
        timeouts: Seconds for each phase of an exchange.
        retry: How long to go on with what is safe to try again.
        clock: Time, to be replaced in tests.
        journal: Where each submission is recorded durably before it leaves (a path, or an open Journal), so that
            a crash loses no paid task.

    Raises:
        ConfigError: The key, the base URL, the transport, a proxy or the certificates are unusable.
        JournalError: The journal cannot be used.
    """

    _http = SyncHTTP
    _io: SyncHTTP

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        transport: httpx.BaseTransport | None = None,
        verify: Verify | None = None,
        proxy: str | None = None,
        headers: Mapping[str, str] | None = None,
        reuse_submit_connections: float = 0.0,
        timeouts: Timeouts | None = None,
        retry: RetryPolicy | None = None,
        clock: Clock | None = None,
        journal: JournalPath = None,
    ) -> None:
        super().__init__(
            api_key,
            base_url=base_url,
            transport=transport,
            verify=verify,
            proxy=proxy,
            headers=headers,
            reuse_submit_connections=reuse_submit_connections,
            timeouts=timeouts,
            retry=retry,
            clock=clock,
            journal=journal,
        )

    def run(self, flow: Workflow[T]) -> T:
        """Run a workflow."""
        return run_sync(flow, self._io)

    def submit(self, prompt: str, **options: Unpack[SubmitOptions]) -> Task:
        """Submit one request. It costs credits, and is sent at most once.

        Args:
            prompt: What the picture shows (rule PROMPT-REQUIRED).
            options: ``batchsize``, ``resolution``, ``source_images``, ``image_url``, ``category`` and any further
                field of the spec: see SubmitOptions.

        Raises:
            InvalidRequest: It breaks the schema or a rule; nothing was sent.
            NotSent: It provably never left.
            Refused: The server refused it: RateLimited, InsufficientCredits, AuthError, Rejected.
            SubmissionUnknown: It was sent and may have been billed; it is never sent again.
        """
        submission = check_submit(prompt, options)
        return Task(self.run(self.submission_workflow(submission)), self, submission.images)

    def task(self, taskid: str, *, images: int | None = None) -> Task:
        """A handle for a task known by its id; ``images`` tells how many to expect. Nothing is sent."""
        tasks.check_taskid(taskid)
        return Task(taskid, self, images)

    def query(self, taskid: str) -> TaskInfo:
        """Ask for a task's state. Raises StatusError or AuthError where no usable answer came."""
        return self.task(taskid).refresh()

    def delete(self, *taskids: str) -> None:
        """Delete tasks on the server. Raises StatusError or AuthError where no usable answer came."""
        self.run(tasks.delete(self.service, taskids))

    def generate(
        self,
        prompt: str,
        *,
        output_dir: str | PathLike[str] = ".",
        timeout: float = DEFAULT_WAIT,
        progress: ProgressCallback | None = None,
        **options: Unpack[SubmitOptions],
    ) -> Generated:
        """Submit, wait (deadline in seconds), and save the pictures in ``output_dir``.

        Raises:
            SeeDreamError: As ``submit``, ``Task.wait`` and ``Task.save``; once there is a task, its id is on the error.
        """
        return self.run(self._generate(check_submit(prompt, options), output_dir, timeout, progress))

    def close(self) -> None:
        """Close the connections, and the journal if it was given as a path."""
        try:
            self._io.close()
        finally:
            self._close_journal()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncSeeDream(_Client):
    """The client, awaiting; for asyncio and trio. Arguments, results and errors are those of SeeDream."""

    _http = AsyncHTTP
    _io: AsyncHTTP

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        verify: Verify | None = None,
        proxy: str | None = None,
        headers: Mapping[str, str] | None = None,
        reuse_submit_connections: float = 0.0,
        timeouts: Timeouts | None = None,
        retry: RetryPolicy | None = None,
        clock: Clock | None = None,
        journal: JournalPath = None,
    ) -> None:
        super().__init__(
            api_key,
            base_url=base_url,
            transport=transport,
            verify=verify,
            proxy=proxy,
            headers=headers,
            reuse_submit_connections=reuse_submit_connections,
            timeouts=timeouts,
            retry=retry,
            clock=clock,
            journal=journal,
        )

    async def run(self, flow: Workflow[T]) -> T:
        """Run a workflow."""
        return await run_async(flow, self._io)

    async def submit(self, prompt: str, **options: Unpack[SubmitOptions]) -> AsyncTask:
        """See SeeDream.submit."""
        submission = check_submit(prompt, options)
        return AsyncTask(await self.run(self.submission_workflow(submission)), self, submission.images)

    def task(self, taskid: str, *, images: int | None = None) -> AsyncTask:
        """See SeeDream.task."""
        tasks.check_taskid(taskid)
        return AsyncTask(taskid, self, images)

    async def query(self, taskid: str) -> TaskInfo:
        """See SeeDream.query."""
        return await self.task(taskid).refresh()

    async def delete(self, *taskids: str) -> None:
        """See SeeDream.delete."""
        await self.run(tasks.delete(self.service, taskids))

    async def generate(
        self,
        prompt: str,
        *,
        output_dir: str | PathLike[str] = ".",
        timeout: float = DEFAULT_WAIT,
        progress: ProgressCallback | None = None,
        **options: Unpack[SubmitOptions],
    ) -> Generated:
        """See SeeDream.generate."""
        return await self.run(self._generate(check_submit(prompt, options), output_dir, timeout, progress))

    async def close(self) -> None:
        """See SeeDream.close."""
        try:
            await self._io.close()
        finally:
            self._close_journal()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
