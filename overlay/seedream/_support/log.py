"""The package's log: ``logging.getLogger("seedream")`` with children such as ``seedream.submit``, silent by default."""

import logging
import os
from typing import Final, TextIO

from seedream._support.server_text import show_id

VARIABLE: Final = "SEEDREAM_LOG"
_LEVELS: Final = {"info": logging.INFO, "debug": logging.DEBUG}


class _OwnHandler(logging.StreamHandler[TextIO]):
    """Writes to standard error; its class tells it from handlers of the program."""


def configure() -> None:
    """Keep the log silent, or write it to standard error where SEEDREAM_LOG is ``info`` or ``debug``.

    Nothing but the package's own lines is written: the HTTP library's stay with the program's own settings.
    """
    logger = logging.getLogger("seedream")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    level = _LEVELS.get(os.environ.get(VARIABLE, "").strip().lower())
    if level is None or any(isinstance(handler, _OwnHandler) for handler in logger.handlers):
        return
    handler = _OwnHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(level)


def log_task(logger: logging.Logger, message: str, taskid: str, *values: object) -> None:
    """Log at INFO level; the first ``%s`` is the id as it may be shown, which is made only where it is logged."""
    if logger.isEnabledFor(logging.INFO):
        logger.info(message, show_id(taskid), *values)
