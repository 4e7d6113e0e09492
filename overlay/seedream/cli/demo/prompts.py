"""What the demo asks for, and what it got."""

from pathlib import Path
from typing import Final

from attrs import field, frozen
from tensorslab_images.rules import RULES

from seedream import Resolution, TaskInfo


@frozen
class Scene:
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
        """``a-batch-of-four-2.png``; number from 1."""
        stem = self.title.replace(" ", "-")
        return f"{stem}-{number}{suffix}" if self.count > 1 else f"{stem}{suffix}"


@frozen
class Shot:
    """What came of a scene: the task's last state, and its pictures."""

    scene: Scene
    info: TaskInfo
    files: list[Path]


# The page's own examples of a legal and an illegal size.
_EXAMPLES: Final = RULES["RES-EXAMPLES"].examples
_VALID, _INVALID = _EXAMPLES["valid"][0], _EXAMPLES["invalid"][0]
SCENES: Final = (
    Scene("text only", "Hills before sunrise, watercolour", "16:9"),
    Scene("from a picture", "The hills of the sketch in winter", "4:3", from_sketch=True),
    Scene("portrait", "A ridge at night", "9:16"),
    Scene("a batch of four", "One valley in four seasons", "1:1", count=4),
    Scene("exact size", "Mountains above a sea of clouds", _VALID),
)
REFUSED: Final = ("A postage stamp", _INVALID)
