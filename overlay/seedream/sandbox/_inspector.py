"""The inspector: a page that shows tasks, requests and credits, and the same as JSON. Loopback only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedream.sandbox._message import Request, Response

if TYPE_CHECKING:
    from seedream.sandbox._asgi import Page
    from seedream.sandbox._sandbox import Sandbox


def inspector(sandbox: Sandbox, base_url: str, images_url: str) -> Page:
    """Answers the inspector's requests; None for any other."""
    del sandbox, base_url, images_url

    def page(request: Request) -> Response | None:
        del request
        return None

    return page
