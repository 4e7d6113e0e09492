"""Three judges: the client, the sandbox, and one typed by hand. They agree on every drawn input."""

import unicodedata
from collections import Counter
from typing import Any

import facts
import httpx
import judge
from hypothesis import given, settings
from hypothesis import strategies as st
from seedream import InvalidRequest, SeeDream
from seedream_sandbox import Sandbox
from seedream_testing.contract import Part, from_tables, text
from seedream_testing.contract.encode import encode
from support import strategies

KEY = "sk-good-key-0000"
TABLES = from_tables()


def fresh() -> Sandbox:
    return Sandbox(credits=10**9, pictures="plain", progress="instant")


def accepts(sandbox: Sandbox, parts: list[Part]) -> tuple[bool, str]:
    """Whether the sandbox takes a form, and the rule that it names if not."""
    kind, body = encode(parts)
    before = len(sandbox.charges)
    with httpx.Client(transport=sandbox.transport) as http:
        reply = http.post(sandbox.base_url + judge.FACTS.submit, content=body,
                          headers={"content-type": kind, "authorization": f"Bearer {KEY}"}).json()  # fmt: skip
    taken = reply["code"] == judge.FACTS.success
    assert len(sandbox.charges) - before == taken, "charged exactly when accepted"
    return taken, reply["msg"].split(" ")[0]


def test_client_sandbox_and_judge_agree_on_options() -> None:
    counts = Counter[str]()
    sandbox = fresh()

    @given(options=strategies.any_options)
    @settings(max_examples=6 * settings().max_examples)
    def drawn(options: dict[str, Any]) -> None:
        verdict = judge.options(options)
        before = len(sandbox.charges)
        with SeeDream(KEY, base_url=sandbox.base_url, transport=sandbox.transport) as client:
            try:
                task = client.submit(**options)
            except InvalidRequest:
                assert not verdict.legal, f"{verdict}, but the client refused {options}"
                assert len(sandbox.charges) == before
                counts["refused"] += 1
                return
        # What the client lets through the sandbox took, and charged; the judge agrees, once it is written canonically.
        charge = sandbox.charges[-1]
        assert (charge.taskid, charge.images) == (task.id, options.get("batchsize") or facts.DEFAULTS["batchsize"])
        assert verdict.legal or verdict.rule.startswith("RES-"), verdict
        sent = sandbox.requests[-1].fields.get("resolution", [facts.DEFAULTS["resolution"]])
        assert judge.resolution(sent[0]).legal
        counts["sent"] += 1

    drawn()
    assert min(counts["sent"], counts["refused"]) >= 0.2 * sum(counts.values()), counts


_values = st.one_of(
    st.integers(-3, 20).map(str), st.integers().map(str), strategies.resolutions, strategies.any_text, st.just("None"),
    st.from_regex(r"[+-]?[0-9]{0,3}(\.[0-9])?([eE][0-9])?", fullmatch=True),
)  # fmt: skip
_parts = st.builds(
    Part,
    st.sampled_from(["prompt", "prompt", "batchsize", "resolution", "category", "imageUrl", "sourceImage"]),
    _values.map(lambda value: value.encode("utf-8", "surrogatepass")) | st.binary(max_size=6),
    st.none() | st.none() | st.just("x.png"),
)


def test_sandbox_and_judge_agree_on_forms() -> None:
    counts = Counter[bool | None]()
    sandbox = fresh()

    @given(
        drawn_parts=st.lists(_parts, max_size=3),
        prompt=strategies.prompts | st.just("a fish"),
        named=strategies.near_options,
    )
    @settings(max_examples=6 * settings().max_examples)
    def drawn(drawn_parts: list[Part], prompt: str, named: dict[str, Any]) -> None:
        near = [text(name, named[name]) for name in ("batchsize", "resolution") if name in named and not drawn_parts]
        parts = [Part("prompt", prompt.encode("utf-8", "surrogatepass")), *near, *drawn_parts]
        verdict, tables = judge.form(parts), TABLES.judge(parts)
        taken, rule = accepts(sandbox, parts)
        counts[verdict.legal] += 1
        if tables.legal is not None:
            assert tables.legal == taken, f"{tables} {parts}"
        if verdict.legal is not None:
            assert taken == verdict.legal, f"{verdict} {rule} {parts}"

    drawn()
    assert min(counts[True], counts[False]) >= 0.15 * sum(counts.values()), counts


@given(wire=strategies.resolutions | strategies.legal_resolutions)
@settings(max_examples=6 * settings().max_examples)
def test_all_three_name_the_same_rule_for_a_resolution(wire: str) -> None:
    from seedream import Resolution  # noqa: PLC0415 -- beside what it is compared with

    verdict = judge.resolution(wire)
    tables = TABLES.judge([text("prompt", "a fish"), Part("resolution", wire.encode("utf-8", "surrogatepass"))])
    if verdict.legal is None:
        return
    assert tables.legal == verdict.legal
    try:
        assert judge.resolution(Resolution(wire).wire).legal
    except InvalidRequest as caught:
        refusal = caught
    else:
        return
    assert not verdict.legal
    # The client reads what people type: spaces around it, X, full-width digits. The judge reads only the wire.
    meant = unicodedata.normalize("NFKC", wire).strip().replace("X", "x").replace("×", "x")
    assert refusal.rule in (verdict.rule, judge.resolution(meant).rule, "RES-FORMAT"), f"{verdict} {refusal}"
