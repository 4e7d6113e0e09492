"""The clients and the tasks they return. The workflows they run are in _protocol."""

from collections.abc import Mapping
from functools import partial
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, NoReturn, Self, TypeVar, Union
from urllib.parse import urlsplit

from attrs import define, field, setters
from tensorslab_images.methods import (
    DEFAULT_CONCURRENCY,
    DEFAULT_MAX_BYTES,
    DEFAULT_NAME_TEMPLATE,
    DEFAULT_TIMEOUT,
    AsyncSubmitMethods,
    SubmitMethods,
)

from seedream._files.names import MOST_IMAGES, check_template
from seedream._files.paths import folder_path
from seedream._protocol import tasks
from seedream._protocol.drivers import run_async, run_sync
from seedream._protocol.effects import RunInThread, Workflow
from seedream._protocol.progress import ProgressCallback
from seedream._protocol.replies import TaskInfo
from seedream._protocol.retry import RetryPolicy
from seedream._protocol.service import ApiConfig
from seedream._protocol.submit import SubmissionObserver, submit
from seedream._protocol.tasks import check_wait
from seedream._request.source_images import Sources
from seedream._request.submission import Submission, check_submit
from seedream._support import config
from seedream._support.addresses import is_loopback
from seedream._support.redact import install_log_filter, redact, short_repr
from seedream._support.secret import Secret
from seedream._support.server_text import is_plain_id, show_id
from seedream._support.timing import Clock, SystemClock, Timeouts
from seedream.errors import ConfigError, InvalidRequest, Problem, SeeDreamError
from seedream.pictures import Generated, Picture
from seedream.resolution import Resolution

if TYPE_CHECKING:
    import ssl

    import httpx  # noqa: F401 -- the types of the transports below

    from seedream._protocol.download import DownloadOptions
    from seedream.journal import Journal

T = TypeVar("T")
DEFAULT_WAIT: Final = DEFAULT_TIMEOUT  # seconds
_MOST_DOWNLOADS: Final = 64
ClientT = TypeVar("ClientT", "SeeDream", "AsyncSeeDream")
TransportT = TypeVar("TransportT")
JournalPath = Union["Journal", str, PathLike[str], None]


def _open_journal(given: JournalPath) -> "Journal | None":
    if given is None:
        return None
    from seedream.journal import Journal  # noqa: PLC0415 -- SQLite is loaded only where it is used

    if isinstance(given, Journal):
        return given
    if not isinstance(given, str | PathLike):
        message = f"journal is of type {type(given).__name__}, not a path or a Journal"
        raise ConfigError(message, hint="Give a path, or an open seedream.journal.Journal.")
    return Journal(Path(given))


def _directory(given: object) -> Path:
    if isinstance(given, str | PathLike) and isinstance(fspath(given), str):
        return folder_path(given)
    raise InvalidRequest(Problem("output_dir", f"{short_repr(given)} is not a path", hint="Give a path."))


def _whole_number(name: str, value: object, most: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        message = f"{short_repr(value)} is not a whole number from 1 to {most:,}"
        raise InvalidRequest(Problem(name, message, hint="Give such a number."))


def _expected_images(images: object) -> None:
    if images is not None:
        _whole_number("images", images, MOST_IMAGES)


def _check_type(name: str, given: object, kind: type, example: str) -> None:
    """Refuse an object of the wrong kind here, before it fails where a submission may have been billed."""
    if given is not None and not isinstance(given, kind):
        message = f"{name} is of type {type(given).__name__}, not {kind.__name__}"
        raise ConfigError(message, hint=f"Give {example}.")


@define(repr=False, unsafe_hash=True, on_setattr=setters.frozen)
class _TaskHandle(Generic[ClientT]):
    """What both handles are: the id, how many images were asked for (if known), and the workflows."""

    id: str
    _client: ClientT = field(eq=False)
    images: int | None = field(default=None, eq=False)
    info: TaskInfo | None = field(default=None, eq=False, init=False, on_setattr=setters.NO_OP)

    def __repr__(self) -> str:
        images = "" if self.images is None else f", images={self.images}"
        state = "" if self.info is None else f", state={self.info.state!r}"
        return f"{type(self).__name__}(id={show_id(self.id)!r}{images}{state})"

    def _repr_html_(self) -> str:
        """Return the id and the state that was last seen, for notebooks."""
        from html import escape  # noqa: PLC0415 -- slow to load, and needed in notebooks only

        state = self.info.state if self.info else "not asked yet"
        return f"<code>{escape(self.id)}</code> <b>{escape(state)}</b>"

    def _remember(self, info: TaskInfo) -> TaskInfo:
        self.info = info
        return info

    def _refresh(self) -> Workflow[TaskInfo]:
        return self._remember((yield from tasks.query(self._client.service, self.id)))

    def _wait(self, timeout: float, progress: ProgressCallback | None) -> Workflow[TaskInfo]:
        check_wait(timeout, progress, awaits=self._client.awaits)
        api = self._client.service
        info = yield from tasks.wait(api, self.id, timeout=timeout, images=self.images, progress=progress)
        return self._remember(info)

    def _pictures(
        self, directory: Path | None, timeout: float, progress: ProgressCallback | None, **options: Any
    ) -> Workflow[list[Picture]]:
        check_wait(timeout, progress, awaits=self._client.awaits)
        checked = _download_options(progress=progress, **options)
        info, pictures = yield from self._client.pictures_workflow(self.id, self.images, directory, timeout, checked)
        self._remember(info)
        return pictures

    def _save(
        self, directory: object, timeout: float, progress: ProgressCallback | None, **options: Any
    ) -> Workflow[list[Path]]:
        pictures = yield from self._pictures(_directory(directory), timeout, progress, **options)
        return [picture.path for picture in pictures if picture.path is not None]

    def _delete(self) -> Workflow[None]:
        return tasks.delete(self._client.service, (self.id,))


def _download_options(
    *,
    progress: ProgressCallback | None,
    max_bytes: int,
    concurrency: int,
    name_template: str = DEFAULT_NAME_TEMPLATE,
) -> "DownloadOptions":
    from seedream._protocol.download import DownloadOptions  # noqa: PLC0415 -- what only submits does not load downloads

    _whole_number("max_bytes", max_bytes, 2**53)
    _whole_number("concurrency", concurrency, _MOST_DOWNLOADS)
    name_template = check_template(name_template)
    return DownloadOptions(max_bytes=max_bytes, concurrency=concurrency, progress=progress, name_template=name_template)


class Task(_TaskHandle["SeeDream"]):
    """A submitted task.

    Attributes:
        id: The task's id.
        images: How many images were asked for; None when the handle was made from an id.
        info: What the service last said of it through this handle, None before it was asked.
    """

    def refresh(self) -> TaskInfo:
        """Ask for the task's state now.

        Raises:
            TaskNotFound: The service does not know the task.
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
            WaitTimeout: It is still running at the deadline; it is not lost.
            TaskNotFound: The service does not know it, two minutes after the first query either.
            StatusError, AuthError: It cannot be asked for.
        """
        return self._client.run(self._wait(timeout, progress))

    def save(
        self,
        directory: str | PathLike[str] = ".",
        *,
        timeout: float = DEFAULT_WAIT,
        max_bytes: int = DEFAULT_MAX_BYTES,
        concurrency: int = DEFAULT_CONCURRENCY,
        name_template: str = DEFAULT_NAME_TEMPLATE,
        progress: ProgressCallback | None = None,
    ) -> list[Path]:
        """Wait if need be, then save the pictures.

        Each is written atomically and kept if it is there already and whole. Several are downloaded at once.

        Args:
            directory: Where; it is made if missing.
            timeout: Deadline for the wait in seconds; each picture has one of its own, of five minutes.
            max_bytes: Limit for one picture.
            concurrency: How many pictures are downloaded at the same time.
            name_template: File name without extension, with ``{taskid}``, ``{number}`` (from 1), ``{index}`` (from 0)
                and ``{total}``.
            progress: Called while waiting and downloading, one call at a time.

        Returns:
            The pictures' paths, in order.

        Raises:
            DownloadError: Some pictures are missing; ``files`` and ``errors`` say which.
            TaskFailed, WaitTimeout, StatusError, AuthError: As for ``wait``.
        """
        workflow = self._save(
            directory, timeout, progress, max_bytes=max_bytes, concurrency=concurrency, name_template=name_template
        )
        return self._client.run(workflow)

    def read(
        self,
        *,
        timeout: float = DEFAULT_WAIT,
        max_bytes: int = DEFAULT_MAX_BYTES,
        concurrency: int = DEFAULT_CONCURRENCY,
        progress: ProgressCallback | None = None,
    ) -> list[Picture]:
        """Wait if need be, then download the pictures into memory: ``save`` without a disk, with its checks.

        Args:
            timeout: Deadline for the wait in seconds; each picture has one of its own, of five minutes.
            max_bytes: Limit for one picture.
            concurrency: How many pictures are downloaded at the same time.
            progress: Called while waiting and downloading, one call at a time.

        Raises:
            DownloadError: Some pictures are missing; ``errors`` says which.
            TaskFailed, WaitTimeout, StatusError, AuthError: As for ``wait``.
        """
        return self._client.run(self._pictures(None, timeout, progress, max_bytes=max_bytes, concurrency=concurrency))

    def delete(self) -> None:
        """Delete the task and its pictures on the server.

        Raises:
            TaskNotFound: The service does not know the task.
            StatusError, AuthError: No usable answer.
        """
        self._client.run(self._delete())


class AsyncTask(_TaskHandle["AsyncSeeDream"]):
    """A submitted task of an AsyncSeeDream; the methods of Task as coroutines. Callbacks may be coroutine functions."""

    async def refresh(self) -> TaskInfo:
        """Ask for the task's state now. Raises what Task.refresh raises."""
        return await self._client.run(self._refresh())

    async def wait(self, *, timeout: float = DEFAULT_WAIT, progress: ProgressCallback | None = None) -> TaskInfo:
        """Wait until the task is completed. Arguments and errors are those of Task.wait."""
        return await self._client.run(self._wait(timeout, progress))

    async def save(
        self,
        directory: str | PathLike[str] = ".",
        *,
        timeout: float = DEFAULT_WAIT,
        max_bytes: int = DEFAULT_MAX_BYTES,
        concurrency: int = DEFAULT_CONCURRENCY,
        name_template: str = DEFAULT_NAME_TEMPLATE,
        progress: ProgressCallback | None = None,
    ) -> list[Path]:
        """Wait if need be, then save the pictures. Arguments, result and errors are those of Task.save."""
        workflow = self._save(
            directory, timeout, progress, max_bytes=max_bytes, concurrency=concurrency, name_template=name_template
        )
        return await self._client.run(workflow)

    async def read(
        self,
        *,
        timeout: float = DEFAULT_WAIT,
        max_bytes: int = DEFAULT_MAX_BYTES,
        concurrency: int = DEFAULT_CONCURRENCY,
        progress: ProgressCallback | None = None,
    ) -> list[Picture]:
        """Download the pictures into memory. Arguments, result and errors are those of Task.read."""
        return await self._client.run(
            self._pictures(None, timeout, progress, max_bytes=max_bytes, concurrency=concurrency)
        )

    async def delete(self) -> None:
        """Delete the task and its pictures on the server. Raises what Task.delete raises."""
        await self._client.run(self._delete())


class _Client(Generic[TransportT]):
    """Configuration and workflows, common to both."""

    service: ApiConfig
    awaits: ClassVar[bool]
    _io: Any

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        transport: TransportT | None = None,
        verify: "str | PathLike[str] | ssl.SSLContext | None" = None,
        proxy: str | None = None,
        headers: Mapping[str, str] | None = None,
        reuse_submit_connections: float = 0.0,
        timeouts: Timeouts | None = None,
        retry: RetryPolicy | None = None,
        clock: Clock | None = None,
        journal: JournalPath = None,
    ) -> None:
        # From the first line on, no variable of this frame holds the key or a password.
        hidden_key, hidden_url, hidden_proxy = Secret(api_key), Secret(base_url), Secret(proxy)
        hidden_headers = Secret(headers)
        del api_key, base_url, proxy, headers
        url = config.base_url(hidden_url)
        _check_type("timeouts", timeouts, Timeouts, "seedream.Timeouts(connect=10, ...)")
        _check_type("retry", retry, RetryPolicy, "seedream.RetryPolicy(attempts=3)")
        _check_type("clock", clock, Clock, "an object with the methods of seedream.Clock")
        self._clock = clock or SystemClock()
        self.service = ApiConfig(
            base_url=url,
            key=config.api_key(hidden_key),
            local=is_loopback(urlsplit(url).hostname or ""),
            timeouts=timeouts or Timeouts(),
            retry=retry or RetryPolicy(),
            now=self._clock.time,
        )
        install_log_filter(self.service.key)
        further = config.default_headers(hidden_headers)
        self._io = self._connect(transport, verify, hidden_proxy, further, reuse_submit_connections)
        self._journal = _open_journal(journal)
        self._owns_journal = self._journal is not journal

    def _connect(
        self,
        transport: Any,
        verify: "str | PathLike[str] | ssl.SSLContext | None",
        proxy: "Secret[str | None]",
        headers: "Secret[dict[str, str]]",
        reuse: float,
    ) -> Any:
        from seedream._transport.connections import NetworkOptions  # noqa: PLC0415 -- httpcore doubles an import's time

        if self.awaits:
            from seedream._transport.async_http import AsyncHTTP  # noqa: PLC0415 -- it loads asyncio

            connect: Any = AsyncHTTP
        else:
            from seedream._transport.http import SyncHTTP  # noqa: PLC0415 -- as above

            connect = SyncHTTP
        api = self.service
        try:
            options = NetworkOptions.checked(verify, proxy.reveal(), reuse, transport)
            return connect(transport, api.timeouts, self._clock, api.key, headers.reveal(), options)
        except ConfigError as error:
            failed = error.with_traceback(None)  # the frames below hold passwords of proxies
        raise failed from None

    def __repr__(self) -> str:
        service = getattr(self, "service", None)  # none yet in a traceback of the constructor
        return f"{type(self).__name__}(base_url={service.base_url!r})" if service else f"{type(self).__name__}()"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} holds a key and connections: make a new one where it is needed")

    def submission_workflow(
        self,
        submission: Submission,
        observer: SubmissionObserver | None = None,
        progress: ProgressCallback | None = None,
    ) -> Workflow[str]:
        """Return the submit workflow for a checked submission, recorded in the journal; it gives the task's id."""
        journal = self._journal
        if observer is None and journal is not None:
            values = submission.values.items()
            seen = {name: redact(value) if isinstance(value, str) else value for name, value in values}
            observer = yield from RunInThread(
                lambda: journal.open_single_call(submission.digest, seen, submission.images)
            )
        return (yield from submit(self.service, submission, observer, progress))

    def pictures_workflow(
        self, taskid: str, images: int | None, directory: Path | None, timeout: float, options: "DownloadOptions"
    ) -> Workflow[tuple[TaskInfo, list[Picture]]]:
        """Return the workflow that waits for a task (deadline in seconds), then downloads its pictures.

        They go into the directory, or into memory where it is None.
        """
        from seedream._protocol import download  # noqa: PLC0415 -- what only submits does not load downloads

        info = yield from tasks.wait(self.service, taskid, timeout=timeout, images=images, progress=options.progress)
        if directory is None:
            contents = yield from download.read(self.service, info, images=images, options=options)
            return info, [Picture(content=content) for content in contents]
        saved = yield from download.save(self.service, info, directory, images=images, options=options)
        return info, [Picture(picture.path) for picture in saved]

    def _close_journal(self) -> None:
        if self._journal is not None and self._owns_journal:
            self._journal.close()

    def _submit(self, prompt: object, options: Mapping[str, object]) -> Workflow[tuple[str, int]]:
        """Check and submit. Gives the task's id and the number of images."""
        submission = yield from self._checked(prompt, options)
        return (yield from self.submission_workflow(submission)), submission.images

    @staticmethod
    def _checked(prompt: object, options: Mapping[str, object]) -> Workflow[Submission]:
        """Check a request; in a thread where files are read."""
        if options.get("source_images") is None:
            return check_submit(prompt, options)
        return (yield from RunInThread(partial(check_submit, prompt, options)))

    def _generate(
        self,
        prompt: object,
        given: Mapping[str, object],
        *,
        output_dir: str | PathLike[str] | None,
        timeout: float,
        progress: ProgressCallback | None,
        **options: Any,
    ) -> Workflow[Generated]:
        from seedream._files.partial_file import ensure_writable  # noqa: PLC0415 -- what only submits does not load it

        check_wait(timeout, progress, awaits=self.awaits)
        downloads = _download_options(progress=progress, **options)
        directory = None if output_dir is None else _directory(output_dir)
        submission = yield from self._checked(prompt, given)
        if directory is not None:
            yield from RunInThread(partial(ensure_writable, directory))
        taskid = yield from self.submission_workflow(submission, progress=progress)
        try:
            images = submission.images
            info, pictures = yield from self.pictures_workflow(taskid, images, directory, timeout, downloads)
            return Generated(taskid, info, pictures)
        except SeeDreamError as error:
            _is_paid(error, taskid)
            raise
        except BaseException as error:
            error.add_note(f"Task {taskid} is paid for: client.task({taskid!r}).save() fetches it.")
            raise


def _is_paid(error: SeeDreamError, taskid: str) -> None:
    """Mark an error after a submission: calling ``generate`` again would pay again."""
    error.taskid = taskid
    error.retryable = False
    if error.billing == "no":
        error.billing = "yes"
    given = repr(taskid) if is_plain_id(taskid) else "error.taskid"
    error.hint = f"{error.hint} Task {show_id(taskid)} is paid for: client.task({given}).save() fetches it.".strip()


class SeeDream(_Client["httpx.BaseTransport"], SubmitMethods[Task, Generated, Sources, Resolution, ProgressCallback]):
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

    awaits = False

    def run(self, workflow: Workflow[T]) -> T:
        """Run a workflow."""
        return run_sync(workflow, self._io)

    def _run_submit(self, prompt: str, given: Mapping[str, object]) -> Task:
        taskid, images = self.run(self._submit(prompt, given))
        return Task(taskid, self, images)

    def _run_generate(self, prompt: str, given: Mapping[str, object], **options: Any) -> Generated:
        return self.run(self._generate(prompt, given, **options))

    def task(self, taskid: str, *, images: int | None = None) -> Task:
        """Return a handle for a task known by its id. Nothing is sent.

        Args:
            taskid: The id that ``submit`` returned.
            images: How many pictures to expect, if known.

        Raises:
            InvalidRequest: It cannot be a task's id, or the number is not one.
        """
        tasks.check_taskid(taskid)
        _expected_images(images)
        return Task(taskid, self, images)

    def query(self, taskid: str) -> TaskInfo:
        """Ask for a task's state. Raises StatusError or AuthError where no usable answer came."""
        return self.task(taskid).refresh()

    def delete(self, *taskids: str) -> None:
        """Delete tasks on the server. Raises StatusError or AuthError where no usable answer came."""
        self.run(tasks.delete(self.service, taskids))

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


class AsyncSeeDream(
    _Client["httpx.AsyncBaseTransport"], AsyncSubmitMethods[AsyncTask, Generated, Sources, Resolution, ProgressCallback]
):
    """The client, awaiting; for asyncio and trio. Arguments, results and errors are those of SeeDream."""

    awaits = True

    async def run(self, workflow: Workflow[T]) -> T:
        """Run a workflow."""
        return await run_async(workflow, self._io)

    async def _run_submit(self, prompt: str, given: Mapping[str, object]) -> AsyncTask:
        taskid, images = await self.run(self._submit(prompt, given))
        return AsyncTask(taskid, self, images)

    async def _run_generate(self, prompt: str, given: Mapping[str, object], **options: Any) -> Generated:
        return await self.run(self._generate(prompt, given, **options))

    def task(self, taskid: str, *, images: int | None = None) -> AsyncTask:
        """Return a handle for a task known by its id. Arguments and errors are those of SeeDream.task."""
        tasks.check_taskid(taskid)
        _expected_images(images)
        return AsyncTask(taskid, self, images)

    async def query(self, taskid: str) -> TaskInfo:
        """Ask for a task's state. Arguments and errors are those of SeeDream.query."""
        return await self.task(taskid).refresh()

    async def delete(self, *taskids: str) -> None:
        """Delete tasks on the server. Arguments and errors are those of SeeDream.delete."""
        await self.run(tasks.delete(self.service, taskids))

    async def close(self) -> None:
        """Close the connections, and the journal if it was given as a path."""
        try:
            await self._io.close()
        finally:
            self._close_journal()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
