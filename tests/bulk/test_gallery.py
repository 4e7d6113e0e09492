"""The gallery in a real browser, from a file: shows, filters, searches, speaks two languages, asks for nothing."""

import base64
import json
import os
import re
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from attrs import define, field
from PIL import Image
from seedream.bulk import gallery
from seedream.bulk.folder import Folder
from seedream.bulk.gallery import _Thumbnails
from seedream.journal import Job, Picture
from support.bulk_bench import Bench

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
]  # fmt: skip
HOSTILE = "</script><script>document.title='owned'</script> <!-- & \" ' \u2028 <img src=x onerror=alert(1)>"


def data_of(page: Path) -> list[dict[str, Any]]:
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>', page.read_text("utf-8"), re.DOTALL)
    assert found is not None
    rows: list[dict[str, Any]] = json.loads(found[1])
    return rows


@pytest.fixture
def shown(bench: Bench) -> Bench:
    bench.run(
        {"id": "a", "prompt": "一只猫", "batchsize": 3},
        {"id": "b", "prompt": "a dog"},
        "[[reject]] me",
        "[[cut]]",
        {"id": "x", "prompt": HOSTILE},
    )
    return bench


@pytest.fixture
def long_one(bench: Bench) -> Bench:
    bench.run(*(f"job {n}" for n in range(150)), concurrency=8)
    return bench


@define
class Seen:
    """A browser's page, what went wrong on it, and what it asked for."""

    page: Any
    problems: list[str] = field(factory=list)
    asked: list[str] = field(factory=list)


@pytest.fixture
def browser() -> Iterator[Seen]:
    executable = shutil.which("chromium")
    if executable is None:
        pytest.skip("chromium is not installed; on Debian: apt-get install chromium")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 -- heavy, and only where there is a browser

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        page = chromium.new_page(viewport={"width": 1280, "height": 900}, locale="en-US")
        seen = Seen(page)
        page.on("pageerror", lambda error: seen.problems.append(str(error)))
        page.on("console", lambda message: seen.problems.append(message.text) if message.type == "error" else None)
        page.on("request", lambda request: seen.asked.append(request.url))
        yield seen
        chromium.close()


def test_browser_shows_filters_and_translates(shown: Bench, browser: Seen) -> None:
    page = browser.page
    page.goto((shown.out / "gallery.html").as_uri())
    assert page.locator("article").count() == 5
    assert page.locator("#summary").inner_text() == "5 pictures · 5 jobs"
    page.wait_for_function(
        "[...document.images].filter(i => i.id !== 'full').every(i => i.complete && i.naturalWidth > 0)"
    )
    assert page.locator("article img").count() == 5
    # The status filter, with its counts.
    assert page.locator("nav button").all_inner_texts() == ["All5", "Saved3", "Refused1", "Unknown1"]
    page.click("nav button[data-filter=unknown]")
    assert page.locator("article").count() == 1
    assert page.locator("article").get_attribute("data-state") == "unknown"
    page.click("nav button[data-filter=all]")
    # The search, in any script.
    page.fill("#search", "一只")
    assert page.locator("article").count() == 1
    page.fill("#search", "nothing like it")
    assert page.locator("#none").is_visible()
    page.fill("#search", "")
    # The viewer, with the whole picture and the keyboard.
    page.click("article[data-state=downloaded] .shot >> nth=0")
    assert page.locator("#prompt").inner_text() == "一只猫"
    page.wait_for_function("document.getElementById('full').naturalWidth === 16")
    first = page.locator("#full").get_attribute("src")
    page.keyboard.press("ArrowRight")
    assert page.locator("#full").get_attribute("src") != first
    page.keyboard.press("Escape")
    assert not page.locator("#viewer").is_visible()
    # A card's text opens in full.
    text = page.locator("article .text").first
    text.click()
    assert "whole" in str(text.get_attribute("class"))
    text.press("Enter")
    assert "whole" not in str(text.get_attribute("class"))
    # The other language, and the other light.
    page.click("#language")
    assert page.locator("h1").inner_text() == "图库"
    assert page.evaluate("document.documentElement.lang") == "zh"
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("#theme")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before
    # Nothing came from a network, nothing went wrong, and a hostile prompt is text.
    assert page.title() == "SeeDream · 图库"
    assert page.locator("article", has_text="onerror").count() == 1
    assert browser.problems == []
    assert all(url.startswith(("file:", "data:")) for url in browser.asked)
    assert len(browser.asked) > 1


def test_browser_goes_on_as_one_scrolls(long_one: Bench, browser: Seen) -> None:
    page = browser.page
    page.goto((long_one.out / "gallery.html").as_uri())
    assert page.locator("article").count() < 150
    for _ in range(10):
        page.mouse.wheel(0, 20000)
        page.wait_for_timeout(50)
    page.wait_for_function("document.querySelectorAll('article').length === 150")


def test_page_without_a_browser_holds_everything(shown: Bench) -> None:
    rows = data_of(shown.out / "gallery.html")
    assert [row["id"] for row in rows] == ["a", "b", "[[reject]] me", "[[cut]]", "x"]
    assert rows[4]["prompt"] == HOSTILE
    assert [len(row["pictures"]) for row in rows] == [3, 1, 0, 0, 1]
    one = rows[0]["pictures"][0]
    assert one["thumbnail"].startswith("data:image/webp;base64,")
    assert (one["width"], one["height"]) == (16, 16)
    assert not re.search(r"(src|href)=[\"']?https?:", (shown.out / "gallery.html").read_text("utf-8"))


def test_many_pictures_stand_beside_the_page(shown: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery, "_EMBEDDED", 2)
    shown.bulk.write()
    for row in data_of(shown.out / "gallery.html"):
        for one in row["pictures"]:
            assert (shown.out / one["thumbnail"]).is_file()


def test_without_pillow_or_time_the_pictures_themselves_are_shown(
    shown: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Thumbnails, "of", lambda *_: {})
    shown.bulk.write()
    assert "thumbnail" not in data_of(shown.out / "gallery.html")[0]["pictures"][0]
    assert _Thumbnails(shown.bulk.folder, lambda: False, embed=False).of("x", "0" * 64) == {}


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "CMYK"])
def test_a_thumbnail_of_any_kind_of_picture_fits_and_is_private(tmp_path: Path, mode: str) -> None:
    folder = Folder(tmp_path)
    Image.new(mode, (1200, 600)).save(tmp_path / "a.tiff")
    one = ("a.tiff", "0123456789abcdef" * 4)
    old = os.umask(0)
    try:
        small = _Thumbnails(folder, lambda: True, embed=False).of(*one)
    finally:
        os.umask(old)
    address = ".thumbnails/0123456789abcdef0123456789abcdef.webp"
    assert small == {"width": 1200, "height": 600, "thumbnail": address}
    assert stat.S_IMODE((tmp_path / ".thumbnails").stat().st_mode) == 0o700
    with Image.open(tmp_path / address) as made:
        assert (made.format, made.size, made.mode) == ("WEBP", (560, 280), "RGB")
    before = (tmp_path / address).stat().st_mtime_ns
    assert _Thumbnails(folder, lambda: True, embed=False).of(*one) == small
    assert (tmp_path / address).stat().st_mtime_ns == before, "it is kept for the next gallery"
    inside = _Thumbnails(folder, lambda: True, embed=True).of(*one)["thumbnail"]
    assert base64.b64decode(inside.removeprefix("data:image/webp;base64,")) == (tmp_path / address).read_bytes()
    assert _Thumbnails(folder, lambda: False, embed=False).of(*one) == {}


def test_what_the_page_holds_of_a_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = [
        Job(1, "k", "d", 7, {"prompt": "</x>山", "resolution": "2K"}, 2, "failed", 1, "t", 2, "TaskFailed", "no.", 0.0),
        Job(2, "l", "d", None, {}, 2, "downloaded", 1, "u", 2, None, None, 0.0),
    ]
    journal = SimpleNamespace(jobs=lambda *_: jobs, pictures=lambda job: [Picture(0, "x", 3, "a" * 64)][: job - 1])
    monkeypatch.setattr(gallery, "_page", lambda: "A/*{{data}}*/Z")
    gallery.write_gallery(journal, SimpleNamespace(id=1), Folder(tmp_path), lambda: False)  # type: ignore[arg-type]  # what it uses of them
    assert (tmp_path / "gallery.html").read_text("utf-8") == (
        'A[{"id":"k","line":7,"state":"failed","taskid":"t","spent":2,"prompt":"\\u003c/x>山","resolution":"2K",'
        '"error":"no.","pictures":[]},'
        '{"id":"l","line":null,"state":"downloaded","taskid":"u","spent":2,"prompt":"","resolution":null,'
        '"error":null,"pictures":[{"path":"x","bytes":3}]}]Z'
    )


def test_the_page_is_whole() -> None:
    page = gallery._page()
    assert page.count("/*{{data}}*/") == 1
    assert "{{style}}" not in page
    assert "{{script}}" not in page
    assert "<style>" in page


def test_picture_that_pillow_cannot_read_is_shown_as_it_is(shown: Bench) -> None:
    path = shown.out / shown.results()[1]["pictures"][0]["path"]
    path.write_bytes(b"\x89PNG\r\n\x1a\n but no more")
    shutil.rmtree(shown.out / ".thumbnails")
    shown.bulk.write()
    rows = data_of(shown.out / "gallery.html")
    assert "thumbnail" not in rows[1]["pictures"][0]
    assert "thumbnail" in rows[0]["pictures"][0]
