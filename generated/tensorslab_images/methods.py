# Made by `make generate` from the vendor's page; never edited by hand.
"""The methods that submit, with a parameter for each body field of the page.

They are written out, so that every editor offers the fields by name. The clients inherit them and fill in the types:
the type variables have the names of the types that replace them.
"""

from collections.abc import Mapping
from os import PathLike
from typing import Any, Final, Generic, Literal, TypedDict, TypeVar, Unpack

Task = TypeVar("Task")
Generated = TypeVar("Generated")
Sources = TypeVar("Sources")
Resolution = TypeVar("Resolution")
ProgressCallback = TypeVar("ProgressCallback")

DEFAULT_OUTPUT_DIR: Final = "."
DEFAULT_TIMEOUT: Final = 600.0
DEFAULT_MAX_BYTES: Final = 67108864
DEFAULT_CONCURRENCY: Final = 4
DEFAULT_NAME_TEMPLATE: Final = "{taskid}-{number}"


class OtherNames(TypedDict):
    """Empty: a type checker refuses a name that is not a field, and so do the methods, with a hint."""


class SubmitOptions(TypedDict, Generic[Sources, Resolution], total=False):
    """The parameters of submit() besides the prompt."""

    batchsize: int | None
    resolution: Literal["9:16", "16:9", "3:4", "4:3", "1:1", "2:3", "3:2", "2K", "4K"] | str | Resolution | None
    source_images: Sources | None
    image_url: str | None
    category: str | None
    allow_unrecognized_sources: bool


class SubmitMethods(Generic[Task, Generated, Sources, Resolution, ProgressCallback]):
    """submit() and generate() of SeeDream."""

    def submit(
        self,
        prompt: str,
        *,
        batchsize: int | None = None,
        resolution: Literal["9:16", "16:9", "3:4", "4:3", "1:1", "2:3", "3:2", "2K", "4K"] | str | Resolution | None = None,
        source_images: Sources | None = None,
        image_url: str | None = None,
        category: str | None = None,
        allow_unrecognized_sources: bool = False,
        **others: Unpack[OtherNames],
    ) -> Task:
        """Submit one request. It costs credits, and is sent at most once.

        Args:
            prompt: What the picture shows. Rule: PROMPT-REQUIRED.
            batchsize: How many pictures to make. From 1 to 15. The service's default: 1. Rule:
                BATCH-RANGE.
            resolution: A ratio, a tier, or a size in pixels such as 2048x2048. The service's
                default: 2K. Rules: RES-FORMAT, RES-RATIO, RES-TIER, RES-PIXELS, RES-EXAMPLES.
            source_images: Pictures to start from: paths, bytes, open files, Pillow images, or one
                URL. Rule: SOURCE-IMAGE.
            image_url: URL of a picture to start from. Rule: IMAGE-URL.
            category: The vendor's category. The service's default: seedreamv45. Rule:
                CATEGORY-DEFAULT.
            allow_unrecognized_sources: Send source images in which no format is recognised, and an
                image_url that is not an http(s) URL; both are refused otherwise.
            others: None; another name is refused, with a hint at the right one.

        Returns:
            The task.

        Raises:
            InvalidRequest: It breaks the schema or a rule; nothing was sent.
            NotSent: It provably never left.
            Refused: The server refused it: RateLimited, InsufficientCredits, AuthError, Rejected.
            SubmissionUnknown: It was sent and may have been billed; it is never sent again.
        """
        return self._run_submit(
            prompt,
            {
                "batchsize": batchsize,
                "resolution": resolution,
                "source_images": source_images,
                "image_url": image_url,
                "category": category,
                "allow_unrecognized_sources": allow_unrecognized_sources,
                **others,
            },
        )

    def generate(
        self,
        prompt: str,
        *,
        batchsize: int | None = None,
        resolution: Literal["9:16", "16:9", "3:4", "4:3", "1:1", "2:3", "3:2", "2K", "4K"] | str | Resolution | None = None,
        source_images: Sources | None = None,
        image_url: str | None = None,
        category: str | None = None,
        allow_unrecognized_sources: bool = False,
        output_dir: str | PathLike[str] | None = ".",
        timeout: float = 600.0,
        max_bytes: int = 67108864,
        concurrency: int = 4,
        name_template: str = "{taskid}-{number}",
        progress: ProgressCallback | None = None,
        **others: Unpack[OtherNames],
    ) -> Generated:
        """Submit, wait, and save the pictures.

        Args:
            prompt: What the picture shows. Rule: PROMPT-REQUIRED.
            batchsize: How many pictures to make. From 1 to 15. The service's default: 1. Rule:
                BATCH-RANGE.
            resolution: A ratio, a tier, or a size in pixels such as 2048x2048. The service's
                default: 2K. Rules: RES-FORMAT, RES-RATIO, RES-TIER, RES-PIXELS, RES-EXAMPLES.
            source_images: Pictures to start from: paths, bytes, open files, Pillow images, or one
                URL. Rule: SOURCE-IMAGE.
            image_url: URL of a picture to start from. Rule: IMAGE-URL.
            category: The vendor's category. The service's default: seedreamv45. Rule:
                CATEGORY-DEFAULT.
            allow_unrecognized_sources: Send source images in which no format is recognised, and an
                image_url that is not an http(s) URL; both are refused otherwise.
            output_dir: Where the pictures go; None keeps them in memory.
            timeout: Deadline for the wait in seconds.
            max_bytes: Limit for one picture in bytes.
            concurrency: How many pictures are downloaded at the same time.
            name_template: File name without extension; see Task.save.
            progress: Called while waiting and downloading, one call at a time. The asynchronous
                client takes a coroutine function too.
            others: None; another name is refused, with a hint at the right one.

        Returns:
            The pictures, with the task's id and its last state.

        Raises:
            SeeDreamError: As ``submit``, ``Task.wait`` and ``Task.save``. Once there is a task, its id is on the
                error, and the error is not retryable: the task is paid for, and is fetched by its id.
        """
        return self._run_generate(
            prompt,
            {
                "batchsize": batchsize,
                "resolution": resolution,
                "source_images": source_images,
                "image_url": image_url,
                "category": category,
                "allow_unrecognized_sources": allow_unrecognized_sources,
                **others,
            },
            output_dir=output_dir,
            timeout=timeout,
            max_bytes=max_bytes,
            concurrency=concurrency,
            name_template=name_template,
            progress=progress,
        )

    def _run_submit(self, prompt: str, given: Mapping[str, object]) -> Task:
        raise NotImplementedError

    def _run_generate(self, prompt: str, given: Mapping[str, object], **options: Any) -> Generated:
        raise NotImplementedError


class AsyncSubmitMethods(Generic[Task, Generated, Sources, Resolution, ProgressCallback]):
    """submit() and generate() of AsyncSeeDream; each call is awaited."""

    async def submit(
        self,
        prompt: str,
        *,
        batchsize: int | None = None,
        resolution: Literal["9:16", "16:9", "3:4", "4:3", "1:1", "2:3", "3:2", "2K", "4K"] | str | Resolution | None = None,
        source_images: Sources | None = None,
        image_url: str | None = None,
        category: str | None = None,
        allow_unrecognized_sources: bool = False,
        **others: Unpack[OtherNames],
    ) -> Task:
        """Submit one request. It costs credits, and is sent at most once.

        Args:
            prompt: What the picture shows. Rule: PROMPT-REQUIRED.
            batchsize: How many pictures to make. From 1 to 15. The service's default: 1. Rule:
                BATCH-RANGE.
            resolution: A ratio, a tier, or a size in pixels such as 2048x2048. The service's
                default: 2K. Rules: RES-FORMAT, RES-RATIO, RES-TIER, RES-PIXELS, RES-EXAMPLES.
            source_images: Pictures to start from: paths, bytes, open files, Pillow images, or one
                URL. Rule: SOURCE-IMAGE.
            image_url: URL of a picture to start from. Rule: IMAGE-URL.
            category: The vendor's category. The service's default: seedreamv45. Rule:
                CATEGORY-DEFAULT.
            allow_unrecognized_sources: Send source images in which no format is recognised, and an
                image_url that is not an http(s) URL; both are refused otherwise.
            others: None; another name is refused, with a hint at the right one.

        Returns:
            The task, whose methods are awaited as well.

        Raises:
            InvalidRequest: It breaks the schema or a rule; nothing was sent.
            NotSent: It provably never left.
            Refused: The server refused it: RateLimited, InsufficientCredits, AuthError, Rejected.
            SubmissionUnknown: It was sent and may have been billed; it is never sent again.
        """
        return await self._run_submit(
            prompt,
            {
                "batchsize": batchsize,
                "resolution": resolution,
                "source_images": source_images,
                "image_url": image_url,
                "category": category,
                "allow_unrecognized_sources": allow_unrecognized_sources,
                **others,
            },
        )

    async def generate(
        self,
        prompt: str,
        *,
        batchsize: int | None = None,
        resolution: Literal["9:16", "16:9", "3:4", "4:3", "1:1", "2:3", "3:2", "2K", "4K"] | str | Resolution | None = None,
        source_images: Sources | None = None,
        image_url: str | None = None,
        category: str | None = None,
        allow_unrecognized_sources: bool = False,
        output_dir: str | PathLike[str] | None = ".",
        timeout: float = 600.0,
        max_bytes: int = 67108864,
        concurrency: int = 4,
        name_template: str = "{taskid}-{number}",
        progress: ProgressCallback | None = None,
        **others: Unpack[OtherNames],
    ) -> Generated:
        """Submit, wait, and save the pictures.

        Args:
            prompt: What the picture shows. Rule: PROMPT-REQUIRED.
            batchsize: How many pictures to make. From 1 to 15. The service's default: 1. Rule:
                BATCH-RANGE.
            resolution: A ratio, a tier, or a size in pixels such as 2048x2048. The service's
                default: 2K. Rules: RES-FORMAT, RES-RATIO, RES-TIER, RES-PIXELS, RES-EXAMPLES.
            source_images: Pictures to start from: paths, bytes, open files, Pillow images, or one
                URL. Rule: SOURCE-IMAGE.
            image_url: URL of a picture to start from. Rule: IMAGE-URL.
            category: The vendor's category. The service's default: seedreamv45. Rule:
                CATEGORY-DEFAULT.
            allow_unrecognized_sources: Send source images in which no format is recognised, and an
                image_url that is not an http(s) URL; both are refused otherwise.
            output_dir: Where the pictures go; None keeps them in memory.
            timeout: Deadline for the wait in seconds.
            max_bytes: Limit for one picture in bytes.
            concurrency: How many pictures are downloaded at the same time.
            name_template: File name without extension; see Task.save.
            progress: Called while waiting and downloading, one call at a time. The asynchronous
                client takes a coroutine function too.
            others: None; another name is refused, with a hint at the right one.

        Returns:
            The pictures, with the task's id and its last state.

        Raises:
            SeeDreamError: As ``submit``, ``Task.wait`` and ``Task.save``. Once there is a task, its id is on the
                error, and the error is not retryable: the task is paid for, and is fetched by its id.
        """
        return await self._run_generate(
            prompt,
            {
                "batchsize": batchsize,
                "resolution": resolution,
                "source_images": source_images,
                "image_url": image_url,
                "category": category,
                "allow_unrecognized_sources": allow_unrecognized_sources,
                **others,
            },
            output_dir=output_dir,
            timeout=timeout,
            max_bytes=max_bytes,
            concurrency=concurrency,
            name_template=name_template,
            progress=progress,
        )

    async def _run_submit(self, prompt: str, given: Mapping[str, object]) -> Task:
        raise NotImplementedError

    async def _run_generate(self, prompt: str, given: Mapping[str, object], **options: Any) -> Generated:
        raise NotImplementedError
