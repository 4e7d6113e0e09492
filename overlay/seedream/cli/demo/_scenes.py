"""What the demo asks for, and what it got."""

from pathlib import Path
from typing import Final

from attrs import field, frozen

from seedream import Generated, Resolution


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


@frozen
class Shot:
    """What came of a scene."""

    scene: Scene
    result: Generated
    seconds: float

    @property
    def files(self) -> list[Path]:
        return self.result.files


SCENES: Final = (
    Scene("text only", "Hills before sunrise, watercolour", "16:9"),
    Scene("from a picture", "The hills of the sketch in winter", "4:3", from_sketch=True),
    Scene("portrait", "A steep ridge under the moon", "9:16"),
    Scene("a batch of four", "One valley in four seasons", "1:1", count=4),
    Scene("exact size", "Mountains above a sea of clouds", "3750x1250"),
)
# The page's own example of a size that is not legal.
REFUSED: Final = ("A postage stamp", "1500x1500")
