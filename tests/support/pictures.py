"""Small real pictures in each format, made once with Pillow."""

from functools import cache
from io import BytesIO

from PIL import Image


@cache
def picture(kind: str = "PNG", size: tuple[int, int] = (33, 21), seed: int = 0) -> bytes:
    """The bytes of a picture of so many pixels, different for each seed."""
    image = Image.new("RGB", size, ((37 * seed) % 256, (91 * seed + 60) % 256, 180))
    image.putpixel((seed % size[0], 0), (255, 255, 255))
    stream = BytesIO()
    image.save(stream, kind)
    return stream.getvalue()
