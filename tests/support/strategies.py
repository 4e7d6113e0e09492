"""What Hypothesis draws, for many tests: values near every edge of the page, and junk that no edge foresees."""

# ruff: noqa: E501 -- long lists of odd values read best in one line

import json
from math import isqrt
from typing import Any

from facts import FEWEST, LARGEST, LEAST, MOST, RATIOS, TIERS
from hypothesis import strategies as st

# --- texts -----------------------------------------------------------------------------------------------------------
_PIECES = [
    "\r\n", "\n", "\r", "--", "+++", '"', "'", ";", "\\", "\0", "\t", "%0D%0A", "%22", "15", "boundary=+++", "--+++--",
    'Content-Disposition: form-data; name="batchsize"', "Content-Type: text/html", "X-Evil: 1", "\r\n\r\n", "鱼", "🌫", " ",
]  # fmt: skip
whole_text = st.text(st.characters(codec="utf-8"), max_size=40)
hostile_text = st.lists(st.sampled_from(_PIECES) | st.text(max_size=5), max_size=12).map("".join)
any_text = whole_text | hostile_text | st.text(max_size=20)
prompts = st.one_of(whole_text.filter(str.strip), hostile_text, st.sampled_from(["", " ", "\n\t", "None", "a fish"]))


# --- resolutions -----------------------------------------------------------------------------------------------------
@st.composite
def sizes(draw: st.DrawFn) -> tuple[int, int]:
    """Widths and heights (pixels) whose product lies near an edge of the legal range, or anywhere."""
    edge = draw(st.sampled_from([LEAST, MOST, (LEAST + MOST) // 2]))
    width = draw(st.integers(1, 300) | st.integers(isqrt(edge) - 40, isqrt(edge) + 40) | st.integers(1, MOST))
    height = edge // width + draw(st.integers(-2, 2))
    return draw(st.permutations([width, max(height, 0)]))  # type: ignore[return-value]  # a pair


wire_sizes = sizes().map(lambda size: f"{size[0]}x{size[1]}")
_NAMES = [*RATIOS, *TIERS]
_ODD_NAMES = ["2k", "5:4", "1K", "8K", "2048*2048", "big", ""]
resolutions = st.one_of(
    wire_sizes, st.sampled_from(_NAMES + _ODD_NAMES), st.text("0123456789xX:K k×＊", max_size=12), st.text(max_size=10)
)
legal_resolutions = st.one_of(
    st.sampled_from(_NAMES),
    sizes().filter(lambda size: LEAST <= size[0] * size[1] <= MOST).map(lambda size: f"{size[0]}x{size[1]}"),
)

# --- whole submissions -----------------------------------------------------------------------------------------------
_tails = st.binary(max_size=60) | hostile_text.map(str.encode)
pictures = st.lists(_tails.map(lambda tail: b"\xff\xd8\xff" + tail), max_size=3)
image_urls = st.one_of(
    st.just("https://images.example/cat.png"),
    st.from_regex(r"https?://[a-z]{1,9}\.example/[!-~]{0,20}", fullmatch=True),
)
junk: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.binary(max_size=5),
    st.lists(st.integers(), max_size=2), st.dictionaries(st.text(max_size=2), st.integers(), max_size=1),
)  # fmt: skip


def _options(
    prompt: Any, batchsize: Any, resolution: Any, text: Any, image_url: Any
) -> st.SearchStrategy[dict[str, Any]]:
    optional = {
        "batchsize": batchsize,
        "resolution": resolution,
        "category": text,
        "image_url": image_url,
        "source_images": pictures,
    }
    return st.fixed_dictionaries({"prompt": prompt}, optional=optional)


legal_options = _options(
    prompts.filter(str.strip).filter(lambda prompt: prompt.isprintable() or "\ud800" not in prompt),
    st.integers(FEWEST, LARGEST), legal_resolutions, whole_text, image_urls,
)  # fmt: skip
near_options = _options(prompts, st.integers(FEWEST - 3, LARGEST + 3), resolutions, any_text, image_urls | any_text)
odd_options = _options(
    prompts | junk,
    st.integers(FEWEST - 3, LARGEST + 3) | junk,
    resolutions | junk,
    any_text | junk,
    image_urls | any_text | junk,
)
any_options = legal_options | near_options | odd_options

# --- replies ---------------------------------------------------------------------------------------------------------
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_codes = st.sampled_from([1000, 9999, 9000, 1234, "1000", 1000.0, None, True]) | json_values
_data = st.fixed_dictionaries(
    {},
    optional={
        "taskid": st.just("t-1") | json_values,
        "image_status": st.sampled_from([1, 2, 3, 4, 5, "3"]) | json_values,
        "url": st.lists(st.text(max_size=10) | json_values, max_size=3) | json_values,
        "width": json_values,
        "error_message": json_values,
    },
)
envelopes = st.fixed_dictionaries(
    {}, optional={"code": _codes, "msg": st.text(max_size=10) | json_values, "data": _data | json_values}
)
reply_bodies = st.one_of(
    envelopes.map(lambda document: json.dumps(document).encode("utf-8", "surrogatepass")),
    json_values.map(lambda document: json.dumps(document).encode("utf-8", "surrogatepass")),
    envelopes.flatmap(
        lambda document: st.integers(0, 60).map(lambda cut: json.dumps(document).encode("utf-8", "surrogatepass")[:cut])
    ),
    st.binary(max_size=60),
    st.sampled_from([b"", b"<html>busy</html>", b"[" * 5000, b"\xef\xbb\xbf{}", b'{"code":1e999}', b'{"a":1}{"b":2}']),
)
statuses = st.sampled_from([200, 200, 200, 201, 204, 301, 302, 307, 400, 401, 403, 404, 408, 422, 429, 500, 502, 503, 599]) | st.integers(200, 599)  # fmt: skip
_latin = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=12)
reply_headers = st.dictionaries(
    st.sampled_from(["content-type", "retry-after", "date", "location", "content-encoding", "set-cookie", "x-odd"]),
    st.sampled_from(["application/json", "text/html", "gzip", "deflate", "br", "0", "1e9", "-5", "Sun, 99 Nov 2026 99:99:99 GMT",
                     "Sun, 22 Nov 2026 10:00:00 GMT", "http://", "//x", "http://[::1", "file:///etc/passwd", "0;url=x"]) | _latin,
    max_size=4,
)  # fmt: skip
