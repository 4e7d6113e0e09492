"""Names that users of other SDKs try, with the names used here: for Python, the command line and jobs files."""

from typing import Final

# The field here, or empty where the API has nothing like it; a field that a later page adds under such a name wins.
FOREIGN_NAMES: Final[dict[str, str]] = {
    "n": "batchsize",
    "batch_size": "batchsize",
    "num_images": "batchsize",
    "num_outputs": "batchsize",
    "max_images": "batchsize",
    "size": "resolution",
    "image_size": "resolution",
    "aspect_ratio": "resolution",
    "width": "resolution",
    "height": "resolution",
    "image": "source_images",
    "images": "source_images",
    "input_image": "source_images",
    "reference_images": "source_images",
    "source_image": "source_images",
    "sourceimage": "source_images",
    "sourceimages": "source_images",
    "imageurl": "image_url",
    "image_urls": "image_url",
    "url": "image_url",
    "text": "prompt",
    "seed": "",
    "negative_prompt": "",
    "guidance_scale": "",
    "quality": "",
    "style": "",
    "model": "",
    "response_format": "",
    "watermark": "",
}


def hint_for(name: str) -> str:
    """Return a sentence that says what a foreign name is called here, or empty when it is not in the table.

    The look-up ignores case and takes ``-`` for ``_``.
    """
    key = name.strip().lower().replace("-", "_")
    if key not in FOREIGN_NAMES:
        return ""
    here = FOREIGN_NAMES[key]
    if not here:
        return f"The API has nothing like {name}; leave it out."
    if key == "images":
        return "Use source_images for pictures to start from, or batchsize for the number of pictures to make."
    return f"Use {here}."
