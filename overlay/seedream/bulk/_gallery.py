from collections.abc import Callable

from seedream.bulk._folder import Folder
from seedream.journal import Run
from seedream.journal._read import Questions


def write_gallery(journal: Questions, run: Run, folder: Folder, patient: Callable[[], bool]) -> None:
    """Placeholder for a moment."""
