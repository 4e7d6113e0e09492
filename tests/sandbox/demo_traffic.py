"""A sandbox in full swing, for the inspector: tasks of every state, requests of every verdict.

``PYTHONPATH=tests .venv/bin/python -m sandbox.demo_traffic docs/sandbox.png`` takes the picture in the README.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

import httpx
from sandbox.sandbox_client import SandboxClient
from seedream_sandbox import Sandbox

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
)  # fmt: skip


def chromium() -> str | None:
    """Return the system's Chromium, if it has one."""
    return which("chromium") or which("chromium-browser")


@contextmanager
def browser() -> Iterator["Browser"]:
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 -- where there is a Chromium

    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=chromium(), args=list(_FLAGS))
        try:
            yield opened
        finally:
            opened.close()


def until(page: "Page", holds: str) -> None:
    """Wait until an expression holds (the page allows no ``eval``, so playwright's own way does not work in it)."""
    for _ in range(200):
        if page.evaluate(holds):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never true: {holds}")


def fill(client: SandboxClient) -> None:
    """Send what makes the page lively."""
    client.submit("A forest of clocks", resolution="1500x1500")
    client.submit("A crowd of umbrellas", batchsize="16")
    failing = client.made("A bridge to nowhere [[fault:task-fails]]", resolution="1:1")
    source = b""
    for prompt, fields in (
        ("Terraced rice fields after rain", {"resolution": "3:2", "batchsize": "2"}),
        ("雪山下的湖，清晨薄雾", {"batchsize": "4"}),
        ("A lighthouse at dusk, oil on canvas", {"resolution": "4:3"}),
        ("A paper boat on a river of stars", {"resolution": "4K", "batchsize": "9"}),
    ):
        urls = client.urls(client.made(prompt, **fields))
        source = source or client.picture(urls[0]).content
    for _ in range(3):
        client.query(failing)
    with suppress(httpx.HTTPError):
        client.submit("A letter that never arrives", headers={"X-Sandbox-Fault": "cut-reply"})
    client.submit("One at a time, please", headers={"X-Sandbox-Fault": "rate-limit"})
    client.urls(
        client.made("The fields of the picture, by night", files=[("sourceImage", ("fields.png", source, "image/png"))])
    )
    client.query(client.made("A cat on a roof, watching the moon", batchsize="2"))
    client.submit("A hat full of weather", resolution="1920x1080")
    client.sandbox.add_fault("rate-limit nth=40")


def main(target: Path) -> None:
    """Take the picture."""
    with Sandbox(credits=120) as sandbox, httpx.Client(trust_env=False, timeout=60) as http, browser() as opened:
        fill(SandboxClient(sandbox, http))
        page = opened.new_page(color_scheme="light", locale="en", viewport={"width": 1360, "height": 940})
        page.goto(sandbox.base_url)
        page.locator("details.refused summary").first.click()
        page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
        page.mouse.move(700, 5)
        until(page, "[...document.images].every((image) => image.complete)")
        page.screenshot(path=target)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
