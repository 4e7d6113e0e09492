"""Names that users of other SDKs try, with the names used here: for Python, the command line and jobs files."""

from typing import Final

# By the field here, empty where the API has nothing like it. A field that a later page adds under such a name wins.
_NAMES: Final = {
    "batchsize": "n batch_size num_images num_outputs max_images",
    "resolution": "size image_size aspect_ratio width height",
    "source_images": "image images input_image reference_images source_image sourceimage sourceimages",
    "image_url": "imageurl image_urls url",
    "prompt": "text",
    "": "seed negative_prompt guidance_scale quality style model response_format watermark",
}
FOREIGN_NAMES: Final = {name: field for field, names in _NAMES.items() for name in names.split()}


def hint_for(name: str) -> str:
    """Return a sentence that says what a foreign name is called here (``-`` is ``_``, any case); empty if not known."""
    key = name.strip().lower().replace("-", "_")
    if key not in FOREIGN_NAMES:
        return ""
    here = FOREIGN_NAMES[key]
    if not here:
        return f"The API has nothing like {name}; leave it out."
    if key == "images":
        return "Use source_images for pictures to start from, or batchsize for the number of pictures to make."
    return f"Use {here}."
