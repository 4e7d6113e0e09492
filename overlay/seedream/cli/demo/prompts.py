"""The requests of the demo, and their results."""

from pathlib import Path
from typing import Final

from attrs import field, frozen
from tensorslab_images.rules import RULES

from seedream import Resolution, TaskInfo


@frozen
class Example:
    """One request of the demo.

    Attributes:
        title: What it shows, in a few words.
        prompt: The prompt.
        resolution: As on the command line.
        count: How many pictures.
        from_sketch: Whether it starts from the sketch.
    """

    title: str
    prompt: str
    resolution: Resolution = field(converter=Resolution)
    count: int = 1
    from_sketch: bool = False

    def file_name(self, number: int, suffix: str) -> str:
        """Return ``a-batch-of-four-2.png``; the number counts from 1."""
        stem = self.title.replace(" ", "-")
        return f"{stem}-{number}{suffix}" if self.count > 1 else f"{stem}{suffix}"


@frozen
class ExampleResult:
    """The result of an example: the task's last state, and its pictures."""

    example: Example
    info: TaskInfo
    files: list[Path]


# The page's own examples of a legal and an illegal size.
_SIZES: Final = RULES["RES-EXAMPLES"].examples
_VALID, _INVALID = _SIZES["valid"][0], _SIZES["invalid"][0]
EXAMPLES: Final = (
    Example("text only", "Hills before sunrise, watercolour", "16:9"),
    Example("from a picture", "The hills of the sketch in winter", "4:3", from_sketch=True),
    Example("portrait", "A ridge at night", "9:16"),
    Example("a batch of four", "One valley in four seasons", "1:1", count=4),
    Example("exact size", "Mountains above a sea of clouds", _VALID),
)
REFUSED: Final = ("A postage stamp", _INVALID)
