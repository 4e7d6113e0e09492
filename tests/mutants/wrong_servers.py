"""Servers with one fault each: the sandbox, tampered with. Every one must be found by the server checks."""

# ruff: noqa: E501 -- one fault a line reads as a table

import sys
from collections.abc import Sequence
from urllib.parse import unquote

import facts
import httpx
import judge
from attrs import frozen
from mutants import _server_faults as f
from mutants._wrong import Detection, Send, Tampering, on_reply, rebuilt
from seedream_sandbox import Sandbox
from seedream_testing.contract import RELATIONS, ApiFacts, ServerUnderTest, run_contract, text

KEY, SECOND, POOR = f.KEY, "sk-Second-key-1111", "sk-Poor-key-2222"


@frozen
class WrongServer:
    """A server with one fault.

    Attributes:
        name: What it does wrong.
        expected: Ids of the rules under which it may be found, separated by spaces.
        send: How it treats requests and replies.
    """

    name: str
    expected: str
    send: Send

    def run(self, facts: ApiFacts, first: str = "") -> Detection:
        """Have the suite find it; the relation with the id ``first`` is tried before the others."""
        with server_under_test(facts, self.send) as server:
            return detect_server(self.name, self.expected, server, first=first)


def server_under_test(facts: ApiFacts, send: Send = Tampering.plain) -> ServerUnderTest:
    """Return the sandbox in this process, tampered with; it has a second account, and one without credits."""
    sandbox = Sandbox(pictures="plain", keys={KEY: 10**7, SECOND: 10**7, POOR: 0})
    return ServerUnderTest(
        sandbox.base_url, KEY, facts, Tampering(send, sandbox.transport),
        lambda: [charge.images for charge in sandbox.charges if charge.account == 1],
        second_key=SECOND, no_credits_key=POOR, pause=lambda seconds: None,
    )  # fmt: skip


def detect_server(
    name: str,
    expected: str,
    server: ServerUnderTest,
    only: Sequence[str] = (),
    *,
    spread: bool = False,
    first: str = "",
) -> Detection:
    """Run the relations until one does not hold, those of the expected rules first.

    Whether a fault is found does not depend on the order, so ``first`` may name a relation that found it before.
    ``spread`` puts an example of each relation before the second of any, as a budget does; ``only`` are ids of rules.
    """
    relations = sorted(RELATIONS, key=lambda relation: (relation.id != first, relation.rule not in expected.split()))
    result = run_contract(server, relations=relations, only=only, budget=sys.maxsize if spread else None)
    for outcome in result.failures:
        violation = outcome.violation
        if violation is not None:
            said = violation.what.replace("\n", " ")[:160]
            return Detection(name, expected, outcome.name, violation.rule, said)
    return Detection(name, expected)


WRONG_SERVERS = (
    WrongServer("ignores batchsize", "SERVER-CHARGE SERVER-PICTURES", f.without("batchsize")),
    WrongServer(f"makes {facts.LARGEST - 1} pictures at most", "SERVER-CHARGE SERVER-PICTURES", f.replaced("batchsize", {str(facts.LARGEST): str(facts.LARGEST - 1)})),
    WrongServer("makes one picture more by default", "SERVER-CHARGE",
                f.on_parts_of_forms(lambda p: p if any(x.name == "batchsize" for x in p) else [*p, text("batchsize", facts.DEFAULTS["batchsize"] + 1)])),
    WrongServer("charges twice", "SERVER-CHARGE", f.twice),
    WrongServer("charges for queries", "SERVER-CHARGE", f.charging_queries),
    WrongServer("charges for refusals", "SERVER-CHARGE", f.charging_refusals),
    WrongServer(f"accepts {facts.LARGEST + 1} pictures", "BATCH-RANGE", f.replaced("batchsize", {str(facts.LARGEST + 1): str(facts.LARGEST)})),
    WrongServer("accepts no picture", "BATCH-RANGE", f.replaced("batchsize", {"0": "1"})),
    WrongServer("accepts a negative number of pictures", "BATCH-RANGE", f.replaced("batchsize", {"-1": "1"})),
    WrongServer("accepts a fraction of a picture", "BATCH-RANGE", f.replaced("batchsize", {"1.5": "1"})),
    WrongServer("takes a word for one picture", "BATCH-RANGE", f.replaced("batchsize", {"many": "1", "None": "1"})),
    WrongServer("takes the last of two batch sizes", "BATCH-RANGE",
                f.on_parts_of_forms(lambda parts: list({part.name + str(part.filename): part for part in parts}.values()))),
    WrongServer(f"refuses {facts.LARGEST} pictures", "BATCH-RANGE", f.replaced("batchsize", {str(facts.LARGEST): "10000"})),
    WrongServer("accepts one pixel too few", "RES-PIXELS", f.replaced("resolution", {judge.TOO_FEW_PIXELS: facts.TIERS[0]})),
    WrongServer("accepts one pixel too many", "RES-PIXELS", f.replaced("resolution", {judge.TOO_MANY_PIXELS: facts.TIERS[0]})),
    WrongServer("accepts 1920x1080", "RES-PIXELS", f.replaced("resolution", {"1920x1080": "2K"})),
    WrongServer("accepts the page's invalid example", "RES-PIXELS", f.replaced("resolution", {"1500x1500": "2K"})),
    WrongServer("refuses the fewest pixels", "RES-PIXELS", f.replaced("resolution", {judge.FEWEST_PIXELS: "1x1"})),
    WrongServer("refuses the most pixels", "RES-PIXELS", f.replaced("resolution", {judge.MOST_PIXELS: "1x1"})),
    WrongServer("refuses the page's valid example", "RES-EXAMPLES", f.replaced("resolution", {"3750x1250": "1x1"})),
    WrongServer("wants sides below 8,000 pixels", "RES-PIXELS", f.replaced("resolution", {"x".join(map(str, judge.WIDE)): "1x1"})),
    WrongServer("accepts an unknown ratio", "RES-RATIO", f.replaced("resolution", {"5:4": "4:3"})),
    WrongServer("accepts an unknown tier", "RES-TIER", f.replaced("resolution", {"8K": "4K"})),
    WrongServer("accepts any word as a resolution", "RES-FORMAT", f.replaced("resolution", {"big": "2K", "": "2K"})),
    WrongServer("does not know 2:3", "RES-RATIO", f.replaced("resolution", {"2:3": "2:3.0"})),
    WrongServer("does not know 4K", "RES-TIER", f.replaced("resolution", {"4K": "4KK"})),
    WrongServer("ignores the resolution", "SERVER-PICTURES RES-RATIO RES-PIXELS RES-FORMAT RES-TIER", f.without("resolution")),
    WrongServer("takes 9:16 for 16:9", "RES-RATIO", f.replaced("resolution", {"9:16": "16:9"})),
    WrongServer("turns sizes round", "SERVER-PICTURES", f.each("resolution", lambda size: b"x".join(reversed(size.split(b"x"))))),
    WrongServer("needs no prompt", "PROMPT-REQUIRED",
                f.on_parts_of_forms(lambda p: p if any(x.name == "prompt" for x in p) else [*p, text("prompt", "x")])),
    WrongServer("takes a blank prompt", "PROMPT-REQUIRED", f.each("prompt", lambda prompt: prompt if prompt.strip() else b"x")),
    WrongServer("trims prompts", "PROMPT-REQUIRED WIRE-BOUNDARY", f.each("prompt", bytes.strip)),
    WrongServer("cuts prompts", "PROMPT-REQUIRED", f.each("prompt", lambda prompt: prompt[:999])),
    WrongServer("loses line ends", "PROMPT-REQUIRED WIRE-BOUNDARY", f.each("prompt", lambda p: p.replace(b"\r\n", b"\n"))),
    WrongServer("ignores the category", "CATEGORY-DEFAULT", f.each("category", lambda category: b"other")),
    WrongServer("refuses source images", "SOURCE-IMAGE", f.refusing(lambda parts: any(part.filename for part in parts))),
    WrongServer("takes two source images at most", "SOURCE-IMAGE",
                f.refusing(lambda parts: sum(part.filename is not None for part in parts) > 2)),
    WrongServer("refuses an image URL", "IMAGE-URL", f.refusing(lambda parts: any(p.name == "imageUrl" for p in parts))),
    WrongServer("wants the prompt first", "WIRE-BOUNDARY", f.refusing(lambda parts: parts[0].name != "prompt")),
    WrongServer("needs no key", "AUTH-KEY", lambda transport, request: transport.plain(f.keyless(request))),
    WrongServer("needs no key for queries", "AUTH-KEY TASK-ID",
                f.at(f.QUERY, lambda t, r: f.answering(200, {"code": 1000, "msg": "", "data": {"taskid": "t"}})
                     if "authorization" not in r.headers else t.plain(r))),
    WrongServer("takes any key", "AUTH-KEY", f.any_key),
    WrongServer("takes PUT", "SERVER-HTTP", f.any_method),
    WrongServer("takes JSON for a form", "SERVER-HTTP", f.as_form),
    WrongServer("takes a form without its end", "SERVER-HTTP", f.cut_form),
    WrongServer("breaks on broken JSON", "SERVER-HTTP SERVER-ENVELOPE", f.breaks_on_bad_json),
    WrongServer("tells codes as text", "SERVER-ENVELOPE CODE-MEANING", on_reply(lambda envelope: {**envelope, "code": str(envelope["code"])})),
    WrongServer("tells codes as fractions", "SERVER-ENVELOPE", on_reply(lambda envelope: {**envelope, "code": float(envelope["code"])})),
    WrongServer("leaves msg out", "SERVER-ENVELOPE", on_reply(lambda envelope: {k: v for k, v in envelope.items() if k != "msg"})),
    WrongServer("tells NaN", "SERVER-ENVELOPE AUTH-KEY BATCH-RANGE", on_reply(lambda envelope: {**envelope, "cost": float("nan")})),
    WrongServer("writes a byte order mark", "SERVER-ENVELOPE AUTH-KEY BATCH-RANGE", f.byte_order_mark),
    WrongServer("takes a percent-encoded key", "AUTH-KEY", lambda t, r: t.plain(rebuilt(r, headers={"authorization": unquote(r.headers.get("authorization", ""))}))),
    WrongServer("recognises a request by its Idempotency-Key", "TASK-OWN SERVER-HTTP SERVER-CHARGE", f.idempotent()),
    WrongServer("refuses WebP", "SOURCE-IMAGE", f.refusing(lambda parts: any(part.content[8:12] == b"WEBP" for part in parts))),
    WrongServer("refuses source images above 8 MB", "SOURCE-IMAGE", f.refusing(lambda parts: sum(len(part.content) for part in parts) > 8_000_000)),
    WrongServer("needs no prompt with an address", "PROMPT-REQUIRED",
                f.on_parts_of_forms(lambda parts: [*parts, text("prompt", "x")] if {part.name for part in parts} == {"imageUrl"} else parts)),
    WrongServer("makes one picture of 4K at a time", "SERVER-CHARGE SERVER-PICTURES RES-TIER BATCH-RANGE",
                f.on_parts_of_forms(lambda parts: [part for part in parts if part.name != "batchsize"] if any(part.content == b"4K" for part in parts) else parts)),
    WrongServer("takes -0 for one picture", "BATCH-RANGE", f.replaced("batchsize", {"-0": "1"})),
    WrongServer("drops a backslash at the end of prompts", "PROMPT-REQUIRED", f.each("prompt", lambda prompt: prompt.rstrip(b"\\"))),
    WrongServer("drops the stars of Markdown", "PROMPT-REQUIRED", f.each("prompt", lambda prompt: prompt.replace(b"**", b""))),
    WrongServer("writes prompts in simplified characters", "PROMPT-REQUIRED", f.each("prompt", lambda prompt: prompt.replace("燈".encode(), "灯".encode()))),
    WrongServer("turns the order of pictures round at every other query", "SERVER-PICTURES", f.when_finished(f.turned_round())),
    WrongServer("ends addresses in a blank", "SERVER-PICTURES", f.when_finished(lambda data: {**data, "url": [f"{url} " for url in data.get("url", [])]})),
    WrongServer("tells every copy of a picture as current", "SERVER-PICTURES",
                f.picture(lambda request, response: httpx.Response(304) if "if-none-match" in request.headers else response)),
    WrongServer("gives the same part for any range", "SERVER-PICTURES",
                f.picture(lambda request, response: httpx.Response(206, headers={"content-type": "image/png"}, content=response.content[:10]) if "range" in request.headers else response)),
    WrongServer("tells msg as null", "SERVER-ENVELOPE", on_reply(lambda envelope: {**envelope, "msg": None})),
    WrongServer("calls its JSON HTML", "SERVER-ENVELOPE",
                lambda t, r: f.answering(200, f.document_of(t.plain(r)), "text/html") if r.method == "POST" else t.plain(r)),
    WrongServer("tells refusals by the code of success", "CODE-MEANING RES-PIXELS BATCH-RANGE PROMPT-REQUIRED AUTH-KEY TASK-ID SERVER-HTTP",
                f.on_refusal(lambda envelope: {**envelope, "code": 1000})),
    WrongServer("tells success by another code", "PROMPT-REQUIRED SERVER-PICTURES BATCH-RANGE",
                on_reply(lambda envelope: {**envelope, "code": 0} if envelope.get("code") == 1000 else envelope)),
    WrongServer("tells bad input as missing credits", "CODE-MEANING", f.on_refusal(lambda envelope: {**envelope, "code": 9000})),
    WrongServer("tells bad input by an unknown code", "CODE-MEANING", f.on_refusal(lambda envelope: {**envelope, "code": 9001})),
    WrongServer("tells bad input as HTTP 500", "SERVER-ENVELOPE SERVER-HTTP", f.status_of(9999, 500)),
    WrongServer("gives refusals a task", "CODE-NO-DATA TASK-ID RES-PIXELS PROMPT-REQUIRED SERVER-HTTP AUTH-KEY",
                f.on_refusal(lambda envelope: {**envelope, "data": {"taskid": "t"}})),
    WrongServer("gives refusals data", "CODE-NO-DATA", f.on_refusal(lambda envelope: {**envelope, "data": {"reason": "x"}})),
    WrongServer("counts the pixels of all pictures for the minimum", "RES-PIXELS WIRE-EXACT", f.replaced_where("resolution", {"1500x1500": "2K"}, lambda parts: f.value(parts, "batchsize") > "1")),
    WrongServer("takes any resolution beside a source image", "RES-PIXELS RES-FORMAT RES-RATIO RES-TIER WIRE-EXACT",
                f.replaced_where("resolution", dict.fromkeys(("1500x1500", "big", "5:4", "8K"), "2K"), lambda parts: any(part.filename for part in parts))),
    WrongServer("checks no number of pictures beside a ratio", "BATCH-RANGE WIRE-EXACT", f.replaced_where("batchsize", {"0": "1", "16": "15"}, lambda parts: ":" in f.value(parts, "resolution"))),
    WrongServer("needs no prompt beside two source images", "PROMPT-REQUIRED WIRE-EXACT",
                f.on_parts_of_forms(lambda parts: [*parts, text("prompt", "x")] if sum(part.name == "sourceImage" for part in parts) == 2 and not f.value(parts, "prompt") else parts)),
    WrongServer("ignores the resolution beside an address", "SERVER-PICTURES RES-RATIO RES-TIER RES-PIXELS",
                f.on_parts_of_forms(lambda parts: [part for part in parts if part.name != "resolution"] if any(part.name == "imageUrl" for part in parts) else parts)),
    WrongServer("makes one picture beside a source image", "SERVER-CHARGE SERVER-PICTURES SOURCE-IMAGE",
                f.on_parts_of_forms(lambda parts: [part for part in parts if part.name != "batchsize"] if any(part.filename for part in parts) else parts)),
    WrongServer("keeps the number of pictures of a refused form", "SERVER-CHARGE SERVER-PICTURES WIRE-EXACT", f.Left("batchsize")),
    WrongServer("keeps the resolution of a refused form", "SERVER-PICTURES WIRE-EXACT RES-TIER", f.Left("resolution")),
    WrongServer("keeps the prompt of a refused form", "PROMPT-REQUIRED", f.Left("prompt")),
    WrongServer("keeps the number of pictures of an accepted form", "SERVER-CHARGE SERVER-PICTURES WIRE-EXACT", f.Left("batchsize", accepted=True)),
    WrongServer("keeps the prompt of an accepted form", "PROMPT-REQUIRED", f.Left("prompt", accepted=True)),
    WrongServer("gives submissions at the same time one prompt", "PROMPT-REQUIRED TASK-OWN", f.Shared("prompt")),
    WrongServer("gives submissions at the same time one key", "AUTH-KEY TASK-OWN SERVER-CHARGE WIRE-EXACT", f.Shared("authorization")),
    WrongServer("answers queries at the same time with one task", "TASK-OWN TASK-ID", f.Shared("taskid")),
    WrongServer("tells missing credits as a failure where there is a source image", "CODE-MEANING",
                lambda t, r: f.no_credits(lambda envelope: {**envelope, "code": 9999} if b"filename" in r.content else envelope)(t, r)),
    WrongServer("refuses queries of an account without credits", "CODE-MEANING", lambda t, r: f.answering(200, {"code": 9000, "msg": ""}) if not r.url.path.endswith("/seedreamv45") and POOR in r.headers.get("authorization", "") else t.plain(r)),
    WrongServer("reads a form as empty after Expect", "SERVER-HTTP", lambda t, r: f.refusing(lambda parts: True)(t, r) if "expect" in r.headers else t.plain(r)),
    *[WrongServer(f"multiplies sides in {bits} bits", "RES-PIXELS RES-FORMAT WIRE-EXACT", f.wrapping(bits)) for bits in (31, 32, 64)],
    WrongServer("compresses long replies unasked", "SERVER-HTTP", f.compressing),
    WrongServer("stops a deletion at an unknown id", "TASK-ID", f.stopping_at_unknown),
    WrongServer("takes an operator for any task's id", "TASK-ID", f.Operators()),
    WrongServer("refuses an image URL in capital letters", "IMAGE-URL SOURCE-IMAGE", f.refusing(lambda parts: f.value(parts, "imageUrl")[:5].isupper())),
    WrongServer("reads a boundary as a pattern", "WIRE-BOUNDARY", f.refused(lambda r: r.method == "POST" and "+" in r.headers.get("content-type", ""))),
    WrongServer("wants a line break after a form", "WIRE-BOUNDARY", f.refused(lambda r: r.method == "POST" and r.content.endswith(b"--"))),
    WrongServer("wants an Accept of JSON in full", "SERVER-HTTP", f.refused(lambda r: r.headers.get("accept") == "application/*")),
    WrongServer("names the picture host that a proxy names", "SERVER-HTTP", f.forwarded_host),
    WrongServer("needs no key for internal requests", "AUTH-KEY SERVER-HTTP", lambda t, r: t.plain(f.keyless(r) if "x-internal" in r.headers else r)),
    WrongServer("deletes nothing in a dry run", "SERVER-HTTP TASK-ID", f.at(f.DELETE, lambda t, r: f.pretended_deletion(t, r) if "x-dry-run" in r.headers else t.plain(r))),
    WrongServer("tells only what X-Fields names", "SERVER-HTTP STATUS-MEANING",
                lambda t, r: f.when_finished(lambda data: {k: data[k] for k in ("taskid", "image_status", "url")} if "x-fields" in r.headers else data)(t, r)),
    WrongServer("tells prompts in the charset that is asked for", "SERVER-HTTP STATUS-MEANING SERVER-ENVELOPE", f.asked_charset),
    WrongServer("breaks on a traceparent that it cannot read", "SERVER-HTTP", f.breaking(lambda r: r.headers.get("traceparent", "---").count("-") != 3)),
    WrongServer("compresses where gzip has a weight of 0", "SERVER-HTTP", f.compressing_where_forbidden),
    WrongServer("wants no key of a caller of its own network", "AUTH-KEY", f.trusting_its_network),
    WrongServer("takes any key of a caller of its own network", "AUTH-KEY", f.trusting_its_network_with_any_key),
    WrongServer("says that its JSON is in Latin-1", "SERVER-ENVELOPE", f.latin_1_by_name),
    WrongServer("takes the prompt in the address first", "SERVER-HTTP WIRE-EXACT PROMPT-REQUIRED", f.addressed),
    WrongServer("refuses pictures with transparency", "SOURCE-IMAGE", f.refusing(lambda parts: any(part.content[12:16] == b"IHDR" and part.content[25] > 3 for part in parts))),
    WrongServer("makes the pictures of a form once for all accounts", "SERVER-PICTURES", f.OncePerForm()),
    WrongServer("breaks on half of a character in an id", "TASK-ID SERVER-ENVELOPE", f.breaking(lambda r: b"\\ud83d" in r.content and b'"taskid' in r.content)),
    WrongServer("breaks on a number beyond a double", "SERVER-HTTP SERVER-ENVELOPE", f.breaking(lambda r: b"1e999" in r.content)),
    WrongServer("trusts the vendor's page", "AUTH-KEY", lambda t, r: t.plain(f.keyless(r) if "tensorslab.com" in r.headers.get("origin", "") else r)),
    WrongServer("refuses forms above 16 MB", "SOURCE-IMAGE", f.refusing(lambda parts: sum(len(part.content) for part in parts) > 2**24)),
    WrongServer("breaks on two deletions of one task at the same time", "TASK-OWN TASK-ID SERVER-ENVELOPE", f.Overlapping()),
    WrongServer("shows deleted tasks to other accounts", "TASK-OWN", f.Ownerless()),
    WrongServer("keeps file names of 255 bytes at most", "SOURCE-IMAGE", f.refusing(lambda parts: any(len((part.filename or "").encode()) > 255 for part in parts))),
    WrongServer("breaks on a user agent of more than 255 characters", "SERVER-HTTP", f.breaking(lambda r: len(r.headers.get("user-agent", "")) > 255)),
    WrongServer("breaks on a cookie that it cannot read", "SERVER-HTTP", f.breaking(lambda r: r.headers.get("cookie", "").count('"') % 2 == 1)),
    WrongServer("breaks on null beside an id", "TASK-ID SERVER-ENVELOPE", f.at(f.DELETE, f.breaking(lambda r: b'", null]' in r.content))),
    WrongServer("breaks on a uid that is no text", "TASK-ID SERVER-ENVELOPE", f.at(f.DELETE, f.breaking(lambda r: b'"uid": {' in r.content))),
    WrongServer("refuses files with a Content-Transfer-Encoding", "SOURCE-IMAGE", f.refused(lambda r: b"image/png\r\nContent-Transfer-Encoding" in r.content)),
    WrongServer("deletes a task that is named twice, and tells a failure", "TASK-ID", f.failing_twice),
    WrongServer("gives smaller pictures to who saves data", "SERVER-PICTURES", f.picture(lambda q, r: f.image(f.TINY) if "save-data" in q.headers else r)),
    WrongServer("gives smaller pictures to small screens", "SERVER-PICTURES", f.picture(lambda q, r: f.image(f.TINY) if "sec-ch-width" in q.headers else r)),
    WrongServer("gives pictures only with a cookie of its API", "SERVER-PICTURES", f.wanting_its_cookie),
    WrongServer("makes pictures at their first download, as the newest task wants them", "SERVER-PICTURES", f.Late()),
    WrongServer("keeps one row for all tasks of one prompt", "SERVER-PICTURES TASK-OWN STATUS-MEANING", f.OneRow()),
    WrongServer("refuses as its framework does, without a code", "CODE-MEANING", f.refusing_as_a_framework),
    WrongServer("reads no more than 8 KiB of JSON", "SERVER-HTTP", f.refused(lambda r: r.headers.get("content-type", "").startswith("application/json") and len(r.content) > 8192)),
    WrongServer("replaces pictures by those of the next task of one prompt", "SERVER-PICTURES", f.Overwriting()),
    WrongServer("wants quotation marks round the names of fields", "WIRE-BOUNDARY", f.refused(lambda r: r.method == "POST" and b"; name=prompt" in r.content)),
    WrongServer("deletes the pictures of all tasks of one form", "SERVER-PICTURES", f.Twins()),
    WrongServer("gives nothing after HEAD", "SERVER-PICTURES", f.FirstGiven("")),
    WrongServer("gives ten bytes after a range", "SERVER-PICTURES", f.FirstGiven("range")),
    WrongServer("tells a part of a picture as one byte longer", "SERVER-PICTURES", f.picture(lambda q, r: r if "if-range" in q.headers else f.part(1)(q, r))),
    WrongServer("gives the rest of a copy that is old", "SERVER-PICTURES", f.picture(lambda q, r: f.part()(q, r) if "if-range" in q.headers else r)),
    WrongServer("charges for the second download", "SERVER-CHARGE", f.ChargingAgain()),
    WrongServer("shows the key in its addresses", "AUTH-KEY", f.when_finished(f.with_key_in_addresses)),
    WrongServer("makes many pictures of 4K smaller", "SERVER-PICTURES RES-TIER",
                f.replaced_where("resolution", {"4K": "2K"}, lambda parts: f.value(parts, "batchsize") == str(facts.LARGEST))),
    WrongServer("knows the addresses of the last query only", "SERVER-PICTURES STATUS-MEANING", f.LastSigned()),
    WrongServer("forgets all but the last 40 tasks", "TASK-ID", f.Forgetful(40)),
    WrongServer("counts its ids, and deletes pictures by their beginning", "SERVER-PICTURES", f.Counting()),
    WrongServer("counts its ids, and deletes tasks by their beginning", "TASK-ID", f.Counting(tasks=True)),
    WrongServer("tells missing credits as a failure", "CODE-MEANING", f.no_credits(lambda envelope: {**envelope, "code": 9999})),
    WrongServer("tells missing credits with a task", "CODE-MEANING CODE-NO-DATA",
                f.no_credits(lambda envelope: {**envelope, "data": {"taskid": "t"}})),
    WrongServer("gives no task id", "TASK-ID SERVER-ENVELOPE", f.at("/seedreamv45", f.in_data(lambda data: {}))),
    WrongServer("gives a blank task id", "TASK-ID", f.at("/seedreamv45", f.in_data(lambda data: {"taskid": " "}))),
    WrongServer("gives a number as task id", "SERVER-ENVELOPE TASK-ID", f.at("/seedreamv45", f.in_data(lambda data: {"taskid": 7}))),
    WrongServer("gives every task one id", "TASK-OWN SERVER-PICTURES", f.FirstId()),
    WrongServer("echoes another id", "TASK-OWN", f.in_state(lambda data: {**data, "taskid": "another"})),
    WrongServer("mixes tasks", "TASK-OWN SERVER-PICTURES PROMPT-REQUIRED TASK-ID", f.Newest()),
    WrongServer("knows every task", "TASK-ID", f.at(f.QUERY, f.knows_everything)),
    WrongServer("tells the status as text", "SERVER-ENVELOPE STATUS-MEANING",
                f.in_state(lambda data: {**data, "image_status": str(data["image_status"])})),
    WrongServer("never ends a task", "STATUS-MEANING", f.when_finished(lambda data: {**data, "image_status": 2})),
    WrongServer("fails every task", "STATUS-MEANING", f.when_finished(lambda data: {**data, "image_status": 4})),
    WrongServer("takes completion back", "STATUS-MEANING", f.Turning(3, 2)),
    WrongServer("names no picture", "SERVER-PICTURES", f.when_finished(lambda data: {**data, "url": []})),
    WrongServer("names fewer pictures than asked", "SERVER-PICTURES", f.when_finished(lambda data: {**data, "url": data["url"][1:]})),
    WrongServer("names more pictures than asked", "SERVER-PICTURES",
                f.when_finished(lambda data: {**data, "url": [*data["url"], "http://127.0.0.1:2/x"]})),
    WrongServer("names one picture again and again", "SERVER-PICTURES",
                f.when_finished(lambda data: {**data, "url": data["url"][:1] * len(data["url"])})),
    WrongServer("names pictures too early", "STATUS-MEANING",
                f.in_state(lambda data: data if f.finished(data) else {**data, "url": ["http://127.0.0.1:2/x"]})),
    WrongServer("names the picture as text", "SERVER-ENVELOPE SERVER-PICTURES", f.when_finished(lambda data: {**data, "url": data["url"][0]})),
    WrongServer("names paths instead of addresses", "SERVER-PICTURES",
                f.when_finished(lambda data: {**data, "url": [url.partition("://")[2] for url in data["url"]]})),
    WrongServer("tells another size", "SERVER-PICTURES RES-RATIO", f.when_finished(lambda data: {**data, "width": data["width"] + 16})),
    WrongServer("tells the width as text", "SERVER-ENVELOPE", f.when_finished(lambda data: {**data, "width": str(data["width"])})),
    WrongServer("tells the time in another form", "SERVER-ENVELOPE",
                f.in_state(lambda data: {**data, "starttime": data["starttime"].replace(" ", "T") + "Z"})),
    WrongServer("gives pictures of another size", "SERVER-PICTURES", f.picture(lambda q, r: f.image(f.TINY))),
    WrongServer("gives one picture for all", "SERVER-PICTURES", f.picture(lambda q, r: f.image(f.GREY))),
    WrongServer("calls its pictures JPEG", "SERVER-ENVELOPE FILE-TYPE", f.picture(lambda q, r: f.image(r.content, "image/jpeg"))),
    WrongServer("gives no pictures", "SERVER-PICTURES", f.picture(lambda q, r: f.answering(404, {}))),
    WrongServer("gives an error page as a picture", "SERVER-PICTURES", f.picture(lambda q, r: f.image(b"<html>"))),
    WrongServer("gives pictures only with the key", "SERVER-PICTURES",
                f.picture(lambda q, r: r if "authorization" in q.headers else f.answering(401, {}))),
    WrongServer("redirects pictures to itself", "SERVER-PICTURES",
                f.picture(lambda q, r: f.redirect(str(q.url)))),
    WrongServer("only says that it deleted", "TASK-ID", f.at(f.DELETE, f.pretended_deletion)),
    WrongServer("deletes too much", "TASK-ID", f.Sweeping()),
    WrongServer("tells deletion in another word", "TASK-ID", f.at(f.DELETE, f.in_data(lambda data: {"status": "OK"}))),
    WrongServer("refuses deletions", "TASK-ID", f.at(f.DELETE, lambda t, r: f.answering(200, {"code": 9999, "msg": "no"}))),
)  # fmt: skip
