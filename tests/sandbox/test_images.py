"""The image host: real pictures of exactly the size, signed links that expire, ranges, and an alarm for credentials."""

from io import BytesIO
from itertools import combinations

import anyio
import httpx
import pytest
from PIL import Image, ImageChops, ImageStat
from sandbox.sandbox_client import OpenSandbox, SandboxClient, connect
from seedream_sandbox import CredentialLeak, ManualClock, Sandbox

SIZES = {
    "1:1": (2048, 2048), "4:3": (2304, 1728), "3:4": (1728, 2304), "16:9": (2560, 1440), "9:16": (1440, 2560),
    "3:2": (2496, 1664), "2:3": (1664, 2496), "2K": (2048, 2048), "4K": (4096, 4096), "3750x1250": (3750, 1250),
    "15x245760": (15, 245760), "16777216x1": (16777216, 1), "3686401x1": (3686401, 1),
}  # fmt: skip


def opened(reply: httpx.Response) -> Image.Image:
    assert 200 == reply.status_code, reply.text
    picture = Image.open(BytesIO(reply.content))
    assert f"image/{picture.format}".lower() == reply.headers["content-type"]
    picture.load()
    return picture.convert("RGB")


def pictures(client: SandboxClient, prompt: str = "x", **options: object) -> list[Image.Image]:
    return [opened(client.picture(url)) for url in client.urls(client.made(prompt, **options))]


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of two pictures, 0 to 255."""
    small = [picture.resize((128, 96)) for picture in (one, other)]
    return sum(ImageStat.Stat(ImageChops.difference(*small)).mean) / 3


def test_a_picture_has_exactly_its_size(open_sandbox: OpenSandbox) -> None:
    one = open_sandbox(progress="instant")
    for resolution, size in SIZES.items():
        assert size == pictures(one, resolution=resolution)[0].size, resolution


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_the_format_can_be_chosen(open_sandbox: OpenSandbox, kind: str) -> None:
    one = open_sandbox(progress="instant", format=kind)
    reply = one.picture(one.urls(one.made(resolution="2560x1440"))[0])
    assert ((2560, 1440), f"image/{kind}") == (opened(reply).size, reply.headers["content-type"])
    thin = one.picture(one.urls(one.made(resolution="3686401x1"))[0])
    assert "image/png" == thin.headers["content-type"], "where the format cannot hold the size, it gives way"


def test_painted_pictures_of_one_task_differ(open_sandbox: OpenSandbox) -> None:
    one = open_sandbox(progress="instant", pictures="painted", format="jpeg")
    made = pictures(one, batchsize=3, resolution="2560x1440")
    assert all((2560, 1440) == picture.size for picture in made)
    assert min(difference(*pair) for pair in combinations(made, 2)) > 4


def test_a_painted_picture_shows_its_prompt() -> None:
    # With equal seeds and numbers the pictures differ only in the caption.
    def painted(prompt: str) -> Image.Image:
        sandbox = Sandbox(progress="instant", format="png")
        with httpx.Client(transport=sandbox.transport) as http:
            return pictures(SandboxClient(sandbox, http), prompt, resolution="2560x1440")[0]

    changed = ImageChops.difference(painted("a lighthouse"), painted("a red bicycle")).getbbox()
    assert changed is not None
    left, top, right, bottom = changed
    assert top > 1440 / 2, "the caption is in the lower half"
    assert 50 < right - left < 2560
    assert 20 < bottom - top < 700


def test_a_source_image_shows_in_the_picture(open_sandbox: OpenSandbox) -> None:
    red = BytesIO()
    Image.new("RGB", (40, 30), (255, 0, 0)).save(red, "PNG")
    one = open_sandbox(progress="instant", pictures="painted", format="jpeg")
    files = [("sourceImage", ("red.png", red.getvalue(), "image/png"))]
    with_source = pictures(one, files=files)[0].resize((16, 16)).getpixel((8, 1))
    assert isinstance(with_source, tuple)
    assert with_source[0] > 1.4 * max(with_source[1:]), "the sky is reddened"
    assert 1 == one.sandbox.tasks[-1].source_count


@pytest.mark.parametrize(
    "content",
    [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 40, b"GIF89a" + b"\xff" * 20],
    ids=["empty", "text", "broken png", "broken gif"],
)
def test_a_source_that_is_not_a_picture_is_accepted(open_sandbox: OpenSandbox, content: bytes) -> None:
    # SOURCE-IMAGE does not say what a source must be.
    one = open_sandbox(progress="instant")
    assert 1 == len(pictures(one, batchsize=1, files=[("sourceImage", ("a.png", content, "image/png"))]))
    assert (1, ()) == (one.sandbox.tasks[-1].source_count, one.sandbox.tasks[-1].sources)


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_plain_pictures_of_two_tasks_differ(open_sandbox: OpenSandbox, kind: str) -> None:
    one = open_sandbox(progress="instant", format=kind)
    made = [one.picture(url).content for _ in range(3) for url in one.urls(one.made(batchsize=2))]
    assert 6 == len(set(made))
    assert 6 == len({colour(content) for content in made}), "in what one sees, not only in their bytes"


def colour(content: bytes) -> tuple[int, ...]:
    """Return the colour of a picture of one colour."""
    pixel = Image.open(BytesIO(content)).convert("RGB").getpixel((1, 1))
    assert isinstance(pixel, tuple)
    return tuple(int(part) for part in pixel)


def test_a_head_request_has_no_body(open_sandbox: OpenSandbox) -> None:
    one = open_sandbox(progress="instant")
    url = one.urls(one.made())[0]
    head, get = one.http.head(url), one.picture(url)
    assert (200, b"") == (head.status_code, head.content)
    assert int(head.headers["content-length"]) == len(get.content) > 0


def test_ranges(open_sandbox: OpenSandbox) -> None:
    one = open_sandbox(progress="instant")
    url = one.urls(one.made())[0]
    whole = one.picture(url)
    size, tag = len(whole.content), whole.headers["etag"]
    part = one.picture(url, range="bytes=10-19")
    assert (206, whole.content[10:20], f"bytes 10-19/{size}") == (
        part.status_code, part.content, part.headers["content-range"],
    )  # fmt: skip
    assert whole.content[100:] == one.picture(url, range="bytes=100-").content
    assert whole.content[100:] == one.picture(url, range="bytes=100-99999999", if_range=tag).content
    assert 200 == one.picture(url, range="bytes=100-", if_range='"other"').status_code
    assert (416, f"bytes */{size}") == (
        (beyond := one.picture(url, range=f"bytes={size}-")).status_code, beyond.headers["content-range"],
    )  # fmt: skip
    assert 200 == one.picture(url, range="lines=1-2").status_code


def test_a_link_expires_and_a_fresh_one_works(open_sandbox: OpenSandbox) -> None:
    # RESULT-EXPIRY: a day.
    clock = ManualClock()
    one = open_sandbox(progress="instant", clock=clock)
    taskid = one.made()
    url = one.urls(taskid)[0]
    clock.advance(23.9 * 3600)
    assert 200 == one.picture(url).status_code
    clock.advance(0.2 * 3600)
    assert 403 == one.picture(url).status_code
    assert 200 == one.picture(one.urls(taskid)[0]).status_code


def test_a_link_cannot_be_made_up(open_sandbox: OpenSandbox) -> None:
    one = open_sandbox(progress="instant")
    taskid = one.made(batchsize=2)
    url, other = one.urls(taskid)
    assert 403 == one.picture(url.partition("?")[0]).status_code
    assert 403 == one.picture(url[:-1] + ("1" if url[-1] == "0" else "0")).status_code
    assert 403 == one.picture(other.partition("?")[0] + "?" + url.partition("?")[2]).status_code
    assert 403 == one.picture(url.replace("Expires=", "Expires=9")).status_code
    assert 404 == one.picture(one.sandbox.images_url + "/").status_code
    assert 405 == one.http.post(url).status_code


@pytest.mark.parametrize("header", ["Authorization", "Cookie", "Proxy-Authorization"])
def test_a_credential_sent_to_the_image_host_raises_the_alarm(header: str) -> None:
    sandbox = Sandbox(progress="instant", pictures="plain")

    def leak() -> None:
        with sandbox, connect() as http:
            one = SandboxClient(sandbox, http)
            url = one.urls(one.made())[0]
            assert 200 == one.picture(url).status_code
            assert [] == sandbox.leaks
            assert 400 == one.http.get(url, headers={header: "Bearer secret-key"}).status_code

    with pytest.raises(CredentialLeak, match=header.lower()):
        leak()
    assert "secret-key" not in repr(sandbox.leaks) + repr(sandbox.requests)


def _leave(sandbox: Sandbox) -> None:
    with sandbox:
        raise KeyError


async def _leave_awaiting(sandbox: Sandbox) -> None:
    async with sandbox:
        raise KeyError


@pytest.mark.parametrize("awaiting", [False, True])
def test_the_alarm_does_not_replace_an_error_of_the_test_s_own(*, awaiting: bool) -> None:
    sandbox = Sandbox(progress="instant", pictures="plain")
    sandbox.service.leaks.append("the header authorization")
    with pytest.raises(KeyError):
        anyio.run(_leave_awaiting, sandbox) if awaiting else _leave(sandbox)
    assert (sandbox.serving, len(sandbox.leaks)) == (False, 1)


async def use_awaiting() -> int:
    async with Sandbox(progress="instant", pictures="plain") as sandbox, httpx.AsyncClient(trust_env=False) as http:
        reply = await http.post(
            sandbox.base_url + "/v1/images/seedreamv45",
            files={"prompt": (None, "x")},
            headers={"Authorization": sandbox.api_key},
        )
        async with httpx.AsyncClient(transport=sandbox.transport) as inside:
            found = await inside.post(
                sandbox.base_url + "/v1/images/infobytaskid",
                json={"taskid": reply.json()["data"]["taskid"]},
                headers={"Authorization": sandbox.api_key},
            )
        return int(found.json()["code"])


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_from_a_coroutine(backend: str) -> None:
    assert 1000 == anyio.run(use_awaiting, backend=backend)


def test_finished_pictures_are_kept_within_a_bound() -> None:
    sandbox = Sandbox(progress="instant", pictures="plain", format="jpeg")
    cache = sandbox.service.images
    cache._files._room = 120_000
    with httpx.Client(transport=sandbox.transport) as http:
        one = SandboxClient(sandbox, http)
        sizes = [len(one.picture(url).content) for url in one.urls(one.made(batchsize=8, resolution="2560x1440"))]
    assert sum(sizes) > 120_000
    assert 0 < sum(len(content) for content, _ in cache._files.values()) <= 120_000
