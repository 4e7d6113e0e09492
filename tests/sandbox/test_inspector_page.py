"""The inspector's page, in a real browser."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import seedream_sandbox
from sandbox.demo_traffic import browser, chromium, fill, until
from sandbox.sandbox_client import SandboxClient
from seedream_sandbox import Sandbox

FOLDER = Path(seedream_sandbox.__file__).parent / "inspector" / "static"

pytestmark = pytest.mark.skipif(
    chromium() is None, reason="there is no Chromium here (Debian: apt-get install chromium)"
)


@pytest.fixture(scope="module")
def opened() -> Iterator[Any]:
    with browser() as one:
        yield one


@pytest.fixture
def client() -> Iterator[SandboxClient]:
    with Sandbox(credits=60) as sandbox, httpx.Client(trust_env=False, timeout=60) as http:
        yield SandboxClient(sandbox, http)


def is_wrong(message: Any) -> bool:
    """An error on the console, but for what Chromium says of a fault that the sandbox refused."""
    return bool(message.type == "error" and "status of 400" not in message.text)


@pytest.fixture
def look(opened: Any, client: SandboxClient) -> Iterator[Any]:
    """Open the page; at the end, nothing may have gone wrong in it and nothing been asked of another host."""
    complaints: list[str] = []
    asked: list[str] = []
    pages: list[Any] = []

    def open_page(**options: Any) -> Any:
        page = opened.new_page(locale=options.pop("language", "en"), **options)
        pages.append(page)
        page.on("console", lambda message: complaints.append(message.text) if is_wrong(message) else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(client.sandbox.base_url)
        return page

    yield open_page
    for page in pages:
        page.close()
    assert [] == complaints
    assert asked
    assert [] == [url for url in asked if not url.startswith(client.sandbox.base_url + "/")]


def test_the_first_message_says_how_to_begin(look: Any, client: SandboxClient) -> None:
    page = look()
    page.get_by_text("No task yet").wait_for()
    assert f"curl {client.sandbox.base_url}/v1/images/seedreamv45" in page.locator("pre").inner_text()


def test_tasks_and_requests_appear_by_themselves(look: Any, client: SandboxClient) -> None:
    page = look()
    page.get_by_text("No task yet").wait_for()
    client.urls(client.made("a lighthouse", batchsize="3"))
    page.locator(".card .pill.completed").wait_for()
    until(page, "document.images.length > 3 && [...document.images].every((one) => one.naturalWidth > 0)")
    assert 3 == page.locator(".card .picture img").count()
    assert "57" == page.locator(".tile b").first.inner_text()


def test_a_refusal_shows_rule_sentence_and_fields(look: Any, client: SandboxClient) -> None:
    client.submit("a lighthouse", resolution="1500x1500")
    page = look()
    page.locator(".request.refused summary").click()
    shown = page.locator(".request.refused").inner_text()
    assert all(text in shown for text in ("RES-PIXELS", "2,250,000", "总像素范围", "1500x1500", "200 · 9999"))
    page.wait_for_timeout(1000)  # the page has asked again since: what was opened stays open
    assert page.locator(".request.refused[open]").is_visible()


def test_a_prompt_is_text_and_never_markup(look: Any, client: SandboxClient) -> None:
    prompt = "<img src=x onerror=\"document.title='pwned'\"><script>document.title='pwned'</script>"
    client.urls(client.made(prompt, batchsize=1))
    page = look()
    page.locator(".card .picture img").wait_for()
    assert prompt == page.locator(".card .prompt").inner_text()
    page.locator(".request").last.locator("summary").click()
    assert prompt in page.locator(".request").last.inner_text()
    assert "seedream Sandbox" == page.title()


def test_a_picture_opens_in_its_real_size(look: Any, client: SandboxClient) -> None:
    client.urls(client.made("a lighthouse", batchsize=1, resolution="2560x1440"))
    page = look()
    page.locator(".picture").click()
    until(page, "document.querySelector('dialog img').naturalWidth === 2560")
    page.keyboard.press("Escape")
    assert not page.locator("dialog").is_visible()


def test_faults_are_added_and_cleared_on_the_page(look: Any, client: SandboxClient) -> None:
    page = look()
    page.locator("#fault").fill("cut-repl")
    with page.expect_response(lambda reply: reply.status == 400 and "faults" in reply.url):
        page.get_by_role("button", name="Add").click()
    page.get_by_text("did you mean 'cut-reply'").wait_for()
    page.locator("#fault").fill("rate-limit times=1")
    page.get_by_role("button", name="Add").click()
    page.locator("#faults li").wait_for()
    assert 429 == client.submit().status_code
    page.get_by_role("button", name="Clear").click()
    page.locator("#faults li").wait_for(state="detached")


def test_every_word_is_there_in_both_languages(look: Any) -> None:
    page = look()
    rows = page.evaluate(
        "import('/_sandbox/words.js').then(({ WORDS, LANGUAGES }) => "
        "Object.entries(WORDS).map(([key, row]) => [key, row.length - LANGUAGES.length, row.map((one) => typeof one)]))"
    )
    assert len(rows) > 20
    assert [] == [key for key, more, kinds in rows if more or len(set(kinds)) != 1 or kinds[0] == "undefined"]
    used = set(re.findall(r'data-(?:word|hint)="([a-z_]+)"', page.content()))
    scripts = "".join((FOLDER / name).read_text("utf-8") for name in ("app.js", "requests.js", "tasks.js"))
    used |= set(re.findall(r'word\("([a-z_]+)"', scripts))
    assert len(used) > 20
    assert set() == used - {key for key, _, _ in rows}


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_phone_can_jump_to_the_requests_and_back(look: Any, client: SandboxClient, language: str) -> None:
    for number in range(6):
        client.made(f"task {number}")
    page = look(viewport={"width": 390, "height": 844}, language=language)
    page.locator(".card").first.wait_for()
    top = "document.querySelector('#requests-part h2').getBoundingClientRect().top"
    assert page.evaluate(top) > 844, "the requests are below what one sees"
    page.locator("#jump a").last.click()
    until(page, f"{top} >= 0 && {top} < 700")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("#jump a").first.click()
    until(page, "scrollY === 0")


def test_a_wide_window_needs_no_jump(look: Any) -> None:
    page = look(viewport={"width": 1360, "height": 900})
    page.get_by_text("No task yet").wait_for()
    assert not page.locator("#jump").is_visible()


def test_the_language_can_be_changed_and_is_remembered(look: Any, client: SandboxClient) -> None:
    fill(client)
    page = look()
    page.get_by_role("button", name="中文").click()
    page.locator("h2", has_text="任务").wait_for()
    page.locator(".pill.completed", has_text="已完成").first.wait_for()
    page.reload()
    page.locator("h2", has_text="任务").wait_for()
    assert "zh-CN" == page.locator("html").get_attribute("lang")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_system_decides_on_light_or_dark_by_default(look: Any, scheme: str) -> None:
    page = look(color_scheme=scheme)
    colour = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3)"
    brightness = f"{colour}.reduce((sum, part) => sum + +part, 0) / 3"
    page.get_by_text("No task yet").wait_for()
    assert (page.evaluate(brightness) < 64) == (scheme == "dark")
    assert (page.evaluate(brightness) > 192) == (scheme == "light")
    page.locator("#theme").click()
    assert page.evaluate(brightness) > 192
    page.locator("#theme").click()
    assert page.evaluate(brightness) < 64


@pytest.mark.parametrize("width", [1360, 390])
def test_nothing_is_wider_than_the_window(look: Any, client: SandboxClient, width: int) -> None:
    client.made("w" * 600)
    client.submit("x", resolution="y" * 600)
    page = look(viewport={"width": width, "height": 800})
    page.locator(".card").wait_for()
    page.locator(".request summary").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
