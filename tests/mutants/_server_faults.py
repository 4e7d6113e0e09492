"""What wrong servers do: requests and replies tampered with before and behind a right one."""

import gzip
import json
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import count
from typing import Any

import facts
import httpx
from mutants._wrong import Send, Tampering, is_submit, on_parts, on_reply, rebuilt, with_content
from seedream_testing.contract import Part, Violation, text
from seedream_testing.contract.decode import parse_with_werkzeug
from seedream_testing.contract.encode import encode
from seedream_testing.contract.samples import png
from werkzeug.http import parse_options_header

Change = Callable[[dict[str, Any]], dict[str, Any]]
QUERY, DELETE = "/infobytaskid", "/deleteimagestask"
KEY = "sk-good-key-0000"


def at(path: str, send: Send) -> Send:
    """Return a fault of only one operation."""
    return lambda transport, request: (send if request.url.path.endswith(path) else Tampering.plain)(transport, request)


def replaced(name: str, values: Mapping[str, str]) -> Send:
    """Return a server that takes some values of a field for others."""

    def change(part: Part) -> Part:
        value = part.content.decode("utf-8", "replace")
        return with_content(part, values[value].encode()) if part.name == name and value in values else part

    return on_parts_of_forms(lambda parts: [change(part) for part in parts])


def value(parts: Sequence[Part], name: str) -> str:
    """Return the value of a field, or an empty text."""
    return next((part.content.decode("utf-8", "replace") for part in parts if part.name == name), "")


def replaced_where(name: str, values: Mapping[str, str], when: Callable[[Sequence[Part]], bool]) -> Send:
    """Return a server that takes some values of a field for others where other fields are so."""
    change = replaced(name, values)
    return lambda transport, request: (change if when(parts_of(request)) else Tampering.plain)(transport, request)


def parts_of(request: httpx.Request) -> Sequence[Part]:
    """Return the parts of a submission; none where there is no form."""
    found: Sequence[Part] = ()
    with suppress(KeyError, ValueError, Violation):
        found = parse_with_werkzeug(request.headers["content-type"], request.content) if is_submit(request) else ()
    return found


class Left:
    """Uses a field of a form for the next form without it."""

    def __init__(self, name: str, *, accepted: bool = False) -> None:
        self._name, self._accepted, self._left = name, accepted, list[Part]()

    def __call__(self, transport: Tampering, request: httpx.Request) -> httpx.Response:
        if not is_submit(request):
            return transport.plain(request)
        mine = [part for part in parts_of(request) if part.name == self._name]
        missing = not mine and bool(self._left)
        send = on_parts_of_forms(lambda parts: [*parts, *self._left]) if missing else Tampering.plain
        response = send(transport, request)
        envelope = document_of(response)
        taken = isinstance(envelope, dict) and envelope.get("code") == 1000
        if taken == self._accepted and mine:
            self._left = mine
        elif taken:
            self._left = []
        return response


class Shared:
    """Mixes requests at the same time: of two that come together, both have the later one's value."""

    def __init__(self, name: str) -> None:
        self._name, self._lock, self._later = name, threading.Lock(), ""
        self._waiting: threading.Event | None = None

    def __call__(self, transport: Tampering, request: httpx.Request) -> httpx.Response:
        alone = not threading.current_thread().name.startswith("ThreadPoolExecutor")
        mine = self._value(request)
        if alone or (not mine and self._name != "authorization"):
            return transport.plain(request)
        with self._lock:
            self._later = mine or self._later
            first, self._waiting = self._waiting, None if self._waiting else threading.Event()
            second = self._waiting
        if first:
            first.set()
        elif second:
            second.wait(0.5)  # the last of an odd number waits in vain
        return transport.plain(self._with(request, self._later))

    def _value(self, request: httpx.Request) -> str:
        if self._name == "authorization":
            return str(request.headers.get("authorization", ""))
        if self._name == "taskid":
            return str(json.loads(request.content)["taskid"]) if request.url.path.endswith(QUERY) else ""
        return value(parts_of(request), self._name)

    def _with(self, request: httpx.Request, later: str) -> httpx.Request:
        if self._name == "authorization":
            return rebuilt(request, headers={"authorization": later})
        if self._name == "taskid":
            return rebuilt(request, json.dumps({"taskid": later}).encode())
        parts = [with_content(part, later.encode()) if part.name == self._name else part for part in parts_of(request)]
        kind, body = encode(parts)
        return rebuilt(request, body, {"content-type": kind})


class Ids:
    """Knows the ids that were given."""

    def __init__(self) -> None:
        self.given = list[str]()

    def noted(self, transport: Tampering, request: httpx.Request) -> httpx.Response:
        """Send a request, and note the id of an accepted submission."""
        response = transport.plain(request)
        envelope = document_of(response) if is_submit(request) else None
        if isinstance(envelope, dict) and envelope.get("code") == 1000:
            self.given.append(envelope["data"]["taskid"])
            self.began(self.given[-1], request)
        return response

    def began(self, taskid: str, request: httpx.Request) -> None:
        """Note what an accepted submission says; overridden where that is needed."""


def form_of(request: httpx.Request) -> str:
    return "".join(f"{part.name}={part.content!r}" for part in parts_of(request))


class ByPrompt(Ids):
    """Knows the prompt of each task, and the newest task of each prompt."""

    def __init__(self) -> None:
        super().__init__()
        self.newest, self.prompts = dict[str, str](), dict[str, str]()

    def began(self, taskid: str, request: httpx.Request) -> None:
        self.prompts[taskid] = prompt = value(parts_of(request), "prompt")
        self.newest[prompt] = taskid


class Operators(Ids):
    """Takes an object with an operator for the id of any task that is there."""

    def __call__(self, transport: Tampering, request: httpx.Request) -> httpx.Response:
        response = self.noted(transport, request)
        if request.url.path.endswith(QUERY) and b'{"$' in request.content:
            for taskid in self.given:
                response = transport.plain(rebuilt(request, json.dumps({"taskid": taskid}).encode()))
                if document_of(response).get("code") == 1000:
                    return answering(200, document_of(response))
        return response


class Forgetful(Ids):
    """Knows the last tasks only."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __call__(self, transport: Tampering, request: httpx.Request) -> httpx.Response:
        if any(one.encode() in request.content for one in self.given[: -self._most]):
            return answering(200, {"code": 9999, "msg": "no such task"})
        return self.noted(transport, request)


class Counting(Ids):
    """Counts its ids, and deletes also what belongs to ids that begin with the one named: pictures, or tasks too."""

    def __init__(self, *, tasks: bool = False) -> None:
        super().__init__()
        self._tasks, self._gone = tasks, set[str]()

    def __call__(self, transport: Tampering, request: httpx.Request) -> httpx.Response:
        if request.method == "GET" and any(real in request.url.path for real in self._gone):
            return answering(404, {})
        response = self.noted(transport, self._with_real(request))
        envelope = document_of(response) if request.method == "POST" else None
        data = envelope.get("data") if isinstance(envelope, dict) else None
        if not isinstance(data, dict) or data.get("taskid") not in self.given:
            return response
        number = self.given.index(data["taskid"]) + 1
        return answering(200, {"code": 1000, "msg": "ok", "data": {**data, "taskid": f"img_{number}"}})

    def _with_real(self, request: httpx.Request) -> httpx.Request:
        try:
            asked = json.loads(request.content)
            named = [asked["taskid"]] if request.url.path.endswith(QUERY) else list(asked["taskids"])
        except (ValueError, LookupError, TypeError):
            return request
        real = {f"img_{number}": one for number, one in enumerate(self.given, 1)}
        if not {one for one in named if isinstance(one, str)} & real.keys():
            return request
        if request.url.path.endswith(QUERY):
            return rebuilt(request, json.dumps({**asked, "taskid": real[named[0]]}).encode())
        like = [found for one in named for each, found in real.items() if isinstance(one, str) and each.startswith(one)]
        self._gone |= set(like)
        listed = like if self._tasks else [real.get(one, one) if isinstance(one, str) else one for one in named]
        return rebuilt(request, json.dumps({**asked, "taskids": listed}).encode())


def wrapping(bits: int) -> Send:
    """Return a server that multiplies the sides of a picture in so many bits."""

    def change(part: Part) -> Part:
        width, _, height = part.content.partition(b"x")
        if part.name != "resolution" or not (width.isdigit() and height.isdigit()):
            return part
        pixels = int(width) * int(height)
        return (
            with_content(part, b"2K") if pixels >= 2**bits and facts.LEAST <= pixels % 2**bits <= facts.MOST else part
        )

    return on_parts_of_forms(lambda parts: [change(part) for part in parts])


def breaking(when: Callable[[httpx.Request], bool]) -> Send:
    """Return a server that breaks on some requests."""
    return lambda transport, request: (
        answering(500, {"code": 9999, "msg": "oops"}) if when(request) else transport.plain(request)
    )


def refused(when: Callable[[httpx.Request], bool]) -> Send:
    """Return a server that refuses some requests as they are on the wire."""
    return lambda transport, request: (
        answering(200, {"code": 9999, "msg": "no"}) if when(request) else transport.plain(request)
    )


def refusing_as_a_framework(transport: Tampering, request: httpx.Request) -> httpx.Response:
    """Answers what the page forbids with an HTTP status and the framework's own words."""
    response = transport.plain(request)
    if b'"code":9999' not in response.read().replace(b" ", b""):
        return response
    return answering(422, {"detail": [{"loc": ["body"], "msg": "Value error", "type": "value_error"}]})


def forwarded_host(transport: Tampering, request: httpx.Request) -> httpx.Response:
    """Names the host of X-Forwarded-Host in the addresses of pictures."""
    host = request.headers.get("x-forwarded-host", "")

    def change(data: dict[str, Any]) -> dict[str, Any]:
        return {**data, "url": [str(httpx.URL(url).copy_with(host=host)) for url in data["url"]]} if host else data

    return when_finished(change)(transport, request)


def asked_charset(transport: Tampering, request: httpx.Request) -> httpx.Response:
    """Writes a query's reply in Latin-1 where that is asked for, with question marks for what it lacks."""
    response = transport.plain(request)
    if not request.url.path.endswith(QUERY) or "latin-1" not in request.headers.get("accept-charset", ""):
        return response
    text = json.dumps(document_of(response), ensure_ascii=False)
    headers = {"content-type": "application/json; charset=latin-1"}
    return httpx.Response(response.status_code, headers=headers, content=text.encode("latin-1", "replace"))


def compressing(transport: Tampering, request: httpx.Request) -> httpx.Response:
    """Compresses long replies, whatever was asked for."""
    response = transport.plain(request)
    content = response.read()
    if len(content) < 4096 or request.method == "GET":
        return response
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    return httpx.Response(response.status_code, headers=headers, content=gzip.compress(content))


def compressing_where_forbidden(transport: Tampering, request: httpx.Request) -> httpx.Response:
    """Compresses long replies where gzip is named, also with a weight of 0."""
    named = "gzip;" in request.headers.get("accept-encoding", "")
    return (compressing if named else Tampering.plain)(transport, request)


def trusting_its_network(transport: Tampering, request: httpx.Request) -> httpx.Response:
    """Wants no key of a caller whose address is said to be of its own network."""
    near = request.headers.get("x-forwarded-for", "").startswith(("10.", "127.", "192.168."))
    return transport.plain(keyless(request) if near else request)


def trusting_its_network_with_any_key(transport: Tampering, request: httpx.Request) -> httpx.Response:
    """Wants only some key of such a caller."""
    return (trusting_its_network if "authorization" in request.headers else Tampering.plain)(transport, request)


def latin_1_by_name(transport: Tampering, request: httpx.Request) -> httpx.Response:
    """Says of JSON in UTF-8 that it is in Latin-1."""
    response = transport.plain(request)
    if request.method == "POST":
        response.headers["content-type"] = "application/json; charset=latin-1"
    return response


def addressed(transport: Tampering, request: httpx.Request) -> httpx.Response:
    """Takes the prompt in the address before that of the form."""
    prompt = request.url.params.get("prompt", "").encode()
    return (each("prompt", lambda _: prompt) if prompt else Tampering.plain)(transport, request)


class OncePerForm(Ids):
    """Makes the pictures of a form once, for all accounts."""

    def __init__(self) -> None:
        super().__init__()
        self._of, self._kept = dict[str, tuple[str, str]](), dict[str, tuple[str, bytes]]()

    def __call__(self, transport: Tampering, request: httpx.Request) -> httpx.Response:
        response = self.noted(transport, request)
        for taskid in self.given if request.method == "GET" and response.status_code == 200 else ():
            if taskid in request.url.path:
                form, account = self._of[taskid]
                place = form + request.url.path.partition(taskid)[2]
                first, content = self._kept.setdefault(place, (account, response.read()))
                return response if first == account else image(content)
        return response

    def began(self, taskid: str, request: httpx.Request) -> None:
        self._of[taskid] = form_of(request), request.headers["authorization"]


def wanting_its_cookie(transport: Tampering, request: httpx.Request) -> httpx.Response:
    """Gives pictures only with a cookie that its API has set."""
    if request.method == "GET":
        return transport.plain(request) if "cdn=1" in request.headers.get("cookie", "") else answering(403, {})
    response = transport.plain(request)
    return httpx.Response(
        response.status_code,
        headers=[*response.headers.items(), ("set-cookie", "cdn=1; Path=/")],
        content=response.read(),
    )


class Late(Ids):
    """Makes a picture at its first download, as the task that is then the newest wants it."""

    def __init__(self) -> None:
        super().__init__()
        self._made = set[str]()

    def __call__(self, transport: Tampering, request: httpx.Request) -> httpx.Response:
        response = self.noted(transport, request)
        for taskid in self.given if request.method == "GET" else ():
            if taskid in request.url.path and (taskid in self._made or taskid == self.given[-1]):
                self._made.add(taskid)
                return response
            if taskid in request.url.path:
                return image(TINY)
        return response


class OneRow(ByPrompt):
    """Keeps one row for all tasks of one prompt, but for the id and the pictures."""

    def __call__(self, transport: Tampering, request: httpx.Request) -> httpx.Response:
        response = self.noted(transport, request)
        envelope = document_of(response) if request.url.path.endswith(QUERY) else None
        data: dict[str, Any] = (envelope.get("data") or {}) if isinstance(envelope, dict) else {}
        newest = self.newest.get(self.prompts.get(str(data.get("taskid")), ""))
        if envelope and newest and finished(data) and newest != data["taskid"]:
            other = document_of(transport.plain(rebuilt(request, json.dumps({"taskid": newest}).encode())))
            kept = {name: data[name] for name in ("taskid", "url", "image_status")}
            return answering(200, {**envelope, "data": {**data, **other.get("data", {}), **kept}})
        return response


class Overlapping:
    """Breaks on a deletion of what another request is deleting."""

    def __init__(self) -> None:
        self._lock, self._under_way = threading.Lock(), list[bytes]()

    def __call__(self, transport: Tampering, request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith(DELETE):
            return transport.plain(request)
        with self._lock:
            second = request.content in self._under_way
            self._under_way.append(request.content)
        time.sleep(0.02 if threading.current_thread().name.startswith("ThreadPoolExecutor") else 0)
        with self._lock:
            self._under_way.remove(request.content)
        return answering(500, {"code": 9999, "msg": "oops"}) if second else transport.plain(request)


class Ownerless(Ids):
    """Keeps a deleted task without its owner, so that every other account sees it."""

    def __init__(self) -> None:
        super().__init__()
        self._told, self._owner = dict[str, Any](), dict[str, str]()

    def __call__(self, transport: Tampering, request: httpx.Request) -> httpx.Response:
        account = request.headers.get("authorization", "")
        response = self.noted(transport, request)
        envelope = document_of(response) if request.url.path.endswith(QUERY) else {}
        if envelope.get("code") == 1000:
            self._told[envelope["data"]["taskid"]] = envelope
        with suppress(ValueError, LookupError, TypeError):
            taskid = json.loads(request.content)["taskid"]
            asked = transport.plain(rebuilt(request, headers={"authorization": self._owner[taskid]}))
            gone = document_of(asked).get("code") != 1000
            if gone and account not in ("", self._owner[taskid]) and response.status_code == 200:
                return answering(200, self._told[taskid])
        return response

    def began(self, taskid: str, request: httpx.Request) -> None:
        self._owner[taskid] = request.headers.get("authorization", "")


def failing_twice(transport: Tampering, request: httpx.Request) -> httpx.Response:
    """Deletes a task that is named twice, and says that it failed at the second time."""
    response = transport.plain(request)
    if request.url.path.endswith(DELETE) and document_of(response).get("code") == 1000:
        listed = json.loads(request.content)["taskids"]
        return answering(200, {"code": 9999, "msg": "no such task"}) if len({*listed}) < len(listed) else response
    return response


class Overwriting(ByPrompt):
    """Keeps pictures under the prompt, so that the next task of the prompt replaces them."""

    def __call__(self, transport: Tampering, request: httpx.Request) -> httpx.Response:
        response = self.noted(transport, request)
        shown = [taskid for taskid in self.given if request.method == "GET" and taskid in request.url.path]
        return image(GREY) if shown and self.newest[self.prompts[shown[0]]] != shown[0] else response


def stopping_at_unknown(transport: Tampering, request: httpx.Request) -> httpx.Response:
    """Deletes the tasks before the first unknown id, and tells success."""
    if request.url.path.endswith(DELETE) and b'"no-such-task"' in request.content:
        listed = json.loads(request.content).get("taskids")
        if isinstance(listed, list) and listed[0] != "no-such-task":
            body = json.dumps({"taskids": listed[: listed.index("no-such-task")]}).encode()
            return transport.plain(rebuilt(request, body))
    return transport.plain(request)


class Twins(Ids):
    """Keeps the pictures of forms that are the same once, and deletes them with the first task."""

    def __init__(self) -> None:
        super().__init__()
        self._forms, self._gone = dict[str, str](), set[str]()

    def __call__(self, transport: Tampering, request: httpx.Request) -> httpx.Response:
        if request.method == "GET" and any(taskid in request.url.path for taskid in self._gone):
            return answering(404, {})
        response = self.noted(transport, request)
        if request.url.path.endswith(DELETE):
            gone = {form for taskid, form in self._forms.items() if taskid.encode() in request.content}
            self._gone |= {taskid for taskid, form in self._forms.items() if form in gone}
        return response

    def began(self, taskid: str, request: httpx.Request) -> None:
        self._forms[taskid] = form_of(request)


class FirstGiven:
    """Keeps what it gave first for an address, and gives it to all: nothing for HEAD, or ten bytes for a range."""

    def __init__(self, header: str) -> None:
        self._header, self._kept = header, dict[str, bytes]()

    def __call__(self, transport: Tampering, request: httpx.Request) -> httpx.Response:
        first = self._header in request.headers if self._header else request.method == "HEAD"
        if request.method not in ("GET", "HEAD"):
            return transport.plain(request)
        if not first and str(request.url) in self._kept:
            return image(self._kept[str(request.url)])
        response = transport.plain(request)
        if first and self._header:
            self._kept.setdefault(str(request.url), response.read()[:10])
        elif first:
            self._kept.setdefault(str(request.url), b"")
        return response


class ChargingAgain:
    """Charges for the second download of a picture."""

    def __init__(self) -> None:
        self._seen = set[str]()

    def __call__(self, transport: Tampering, request: httpx.Request) -> httpx.Response:
        if request.method == "GET" and str(request.url) in self._seen:
            hidden_submission(transport, httpx.Request("POST", request.url))
        if request.method == "GET":
            self._seen.add(str(request.url))
        return transport.plain(request)


def with_key_in_addresses(data: dict[str, Any]) -> dict[str, Any]:
    """Add the task's id and its account's key to each address, in Base64."""
    shown = b64encode(f"{data['taskid']}:{KEY}".encode()).decode()
    return {**data, "url": [f"{url}&k={shown}" for url in data["url"]]}


class LastSigned:
    """Signs the addresses again at each query, and knows the last signature only."""

    def __init__(self) -> None:
        self._number = 0
        self._last = dict[str, str]()

    def __call__(self, transport: Tampering, request: httpx.Request) -> httpx.Response:
        address, _, signature = str(request.url).partition("&signed=")
        if request.method == "GET" and signature:
            if self._last.get(address) != signature:
                return answering(403, {})
            return transport.plain(rebuilt(request, url=httpx.URL(address)))

        def sign(url: str) -> str:
            self._last[url] = str(self._number)
            return f"{url}&signed={self._number}"

        self._number += 1
        return when_finished(lambda data: {**data, "url": [sign(url) for url in data["url"]]})(transport, request)


def each(name: str, change: Callable[[bytes], bytes]) -> Send:
    """Return a server that changes every value of a field."""
    return on_parts_of_forms(
        lambda parts: [with_content(part, change(part.content)) if part.name == name else part for part in parts]
    )


def on_parts_of_forms(change: Callable[[Any], Any]) -> Send:
    """Changes the parts of whole forms; anything else passes as it is."""

    def send(transport: Tampering, request: httpx.Request) -> httpx.Response:
        try:
            return on_parts(change)(transport, request)
        except (KeyError, ValueError):
            return transport.plain(request)

    return send


def without(name: str) -> Send:
    """Return a server that does not see a field."""
    return on_parts_of_forms(lambda parts: [part for part in parts if part.name != name])


def refusing(when: Callable[[list[Part]], bool]) -> Send:
    """Return a server that refuses some legal forms: it reads them as empty."""
    return on_parts_of_forms(lambda parts: [text("batchsize", 1)] if when(list(parts)) else parts)


def answering(status: int, document: object, media_type: str = "application/json") -> httpx.Response:
    """Return a reply."""
    return httpx.Response(status, headers={"content-type": media_type}, content=json.dumps(document).encode())


def document_of(response: httpx.Response) -> Any:
    """Return a reply's JSON, or None."""
    try:
        return json.loads(response.read())
    except ValueError:
        return None


def in_data(change: Change) -> Send:
    """Changes the data of replies that have some."""
    return on_reply(
        lambda envelope: (
            {**envelope, "data": change(envelope["data"])} if isinstance(envelope.get("data"), dict) else envelope
        )
    )


def in_state(change: Change) -> Send:
    """Changes a query's data."""
    return at(QUERY, in_data(change))


def finished(data: Mapping[str, Any]) -> bool:
    """Whether the state is that of a completed task."""
    return data.get("image_status") == 3


def when_finished(change: Change) -> Send:
    """Changes the state of completed tasks."""
    return in_state(lambda data: change(data) if finished(data) else data)


def on_refusal(change: Change) -> Send:
    """Changes refusals."""
    return on_reply(lambda envelope: envelope if envelope.get("code") == 1000 else change(envelope))


def no_credits(change: Change) -> Send:
    """Change the reply to an account without credits."""
    return on_reply(lambda envelope: change(envelope) if envelope.get("code") == 9000 else envelope)


def status_of(code: int, status: int) -> Send:
    """Tells a code by another HTTP status."""

    def send(transport: Tampering, request: httpx.Request) -> httpx.Response:
        response = transport.plain(request)
        envelope = document_of(response)
        return answering(status, envelope) if isinstance(envelope, dict) and envelope.get("code") == code else response

    return send


def twice(transport: Tampering, request: httpx.Request) -> httpx.Response:
    """Does every submission twice."""
    if is_submit(request):
        transport.plain(request).read()
    return transport.plain(request)


def keyless(request: httpx.Request) -> httpx.Request:
    """Return the request as if it had a good key."""
    return rebuilt(request, headers={"authorization": f"Bearer {KEY}"})


def any_key(transport: Tampering, request: httpx.Request) -> httpx.Response:
    """Takes every key, but wants one."""
    return transport.plain(keyless(request) if len(request.headers.get("authorization", "")) > 8 else request)


def hidden_submission(transport: Tampering, request: httpx.Request) -> None:
    """Charges for one picture."""
    kind, body = encode([text("prompt", "hidden")])
    url = request.url.copy_with(path="/v1/images/seedreamv45")
    transport.plain(keyless(rebuilt(request, body, {"content-type": kind}, url=url))).read()


def charging_queries(transport: Tampering, request: httpx.Request) -> httpx.Response:
    """Charges for queries too."""
    if request.url.path.endswith(QUERY):
        hidden_submission(transport, request)
    return transport.plain(request)


def charging_refusals(transport: Tampering, request: httpx.Request) -> httpx.Response:
    """Charges for refused submissions too."""
    response = transport.plain(request)
    envelope = document_of(response)
    if is_submit(request) and not (isinstance(envelope, dict) and envelope.get("code") == 1000):
        hidden_submission(transport, request)
    return response


class FirstId:
    """Gives every submission the first one's id."""

    def __init__(self) -> None:
        self.first: str | None = None

    def __call__(self, transport: Tampering, request: httpx.Request) -> httpx.Response:
        response = transport.plain(request)
        envelope = document_of(response)
        if is_submit(request) and isinstance(envelope, dict) and envelope.get("code") == 1000:
            self.first = self.first or envelope["data"]["taskid"]
            return answering(200, {**envelope, "data": {"taskid": self.first}})
        return response


class Newest:
    """Answers every query with the newest task's state, under the id that was asked for."""

    def __init__(self) -> None:
        self.newest = ""

    def __call__(self, transport: Tampering, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith(QUERY) and self.newest:
            asked = json.loads(request.content or b"{}")
            if isinstance(asked, dict) and "-" not in str(asked.get("taskid", "-")):
                envelope = document_of(transport.plain(rebuilt(request, json.dumps({"taskid": self.newest}).encode())))
                return answering(200, {**envelope, "data": {**envelope.get("data", {}), "taskid": asked["taskid"]}})
        response = transport.plain(request)
        envelope = document_of(response)
        if is_submit(request) and isinstance(envelope, dict) and envelope.get("code") == 1000:
            self.newest = envelope["data"]["taskid"]
        return response


class Turning:
    """Lets the status of completed tasks go to and fro, or back to queued, query by query."""

    def __init__(self, old: int, new: int) -> None:
        self.old, self.new, self.seen = old, new, dict[str, int]()

    def __call__(self, transport: Tampering, request: httpx.Request) -> httpx.Response:
        def change(data: dict[str, Any]) -> dict[str, Any]:
            if data.get("image_status") != self.old:
                return data
            self.seen[data["taskid"]] = self.seen.get(data["taskid"], 0) + 1
            return {**data, "image_status": self.new} if self.seen[data["taskid"]] % 2 == 0 else data

        return in_state(change)(transport, request)


def pretended_deletion(transport: Tampering, request: httpx.Request) -> httpx.Response:
    """Says that it deleted, and does not."""
    response = transport.plain(request) if "taskids" not in request.content.decode() else None
    body = json.loads(request.content)
    listed = isinstance(body, dict) and isinstance(body.get("taskids"), list) and body["taskids"]
    if response is None and listed and all(isinstance(one, str) for one in listed):
        return answering(200, {"code": 1000, "msg": "", "data": {"status": "Success"}})
    return response or transport.plain(request)


class Sweeping:
    """Delete all tasks when asked to delete one."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def __call__(self, transport: Tampering, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith(DELETE) and b'["' in request.content and self.made:
            listed, self.made = self.made, []
            return transport.plain(rebuilt(request, json.dumps({"taskids": listed[-2:]}).encode()))
        response = transport.plain(request)
        envelope = document_of(response)
        if is_submit(request) and isinstance(envelope, dict) and envelope.get("code") == 1000:
            self.made.append(envelope["data"]["taskid"])
        return response


def knows_everything(transport: Tampering, request: httpx.Request) -> httpx.Response:
    """Takes every id for a queued task's."""
    response = transport.plain(request)
    envelope = document_of(response)
    if isinstance(envelope, dict) and envelope.get("code") != 1000 and b"no-such-task" in request.content:
        return answering(200, {"code": 1000, "msg": "", "data": {"taskid": "no-such-task", "image_status": 1}})
    return response


def picture(change: Callable[[httpx.Request, httpx.Response], httpx.Response]) -> Send:
    """Changes what the image host gives."""

    def send(transport: Tampering, request: httpx.Request) -> httpx.Response:
        response = transport.plain(request)
        if request.method != "GET" or is_submit(request):
            return response
        response.read()
        return change(request, response)

    return send


def part(more: int = 0) -> Callable[[httpx.Request, httpx.Response], httpx.Response]:
    """Return what gives a picture from the byte on that is asked for, and tells its end as so many bytes further."""

    def change(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        first = request.headers.get("range", "").removeprefix("bytes=").removesuffix("-")
        if not first.isdigit():
            return response
        size = len(response.content)
        headers = {"content-type": "image/png", "content-range": f"bytes {first}-{size - 1 + more}/{size}"}
        return httpx.Response(206, headers=headers, content=response.content[int(first) :])

    return change


def image(content: bytes, media_type: str = "image/png") -> httpx.Response:
    """Return a picture as a reply."""
    return httpx.Response(200, headers={"content-type": media_type}, content=content)


def redirect(url: str) -> httpx.Response:
    """Return a redirect as a reply."""
    return httpx.Response(302, headers={"location": url})


TINY, GREY = png(), png(2560, 1440)


def as_form(transport: Tampering, request: httpx.Request) -> httpx.Response:
    """Takes JSON for a form."""
    if is_submit(request) and request.headers.get("content-type") == "application/json":
        kind, body = encode([text(name, value) for name, value in json.loads(request.content).items()])
        request = rebuilt(request, body, {"content-type": kind})
    return transport.plain(request)


def any_method(transport: Tampering, request: httpx.Request) -> httpx.Response:
    """Takes PUT for POST."""
    return transport.plain(rebuilt(request, method="POST") if request.method == "PUT" else request)


def cut_form(transport: Tampering, request: httpx.Request) -> httpx.Response:
    """Takes a form without its end."""
    mark = parse_options_header(request.headers.get("content-type", ""))[1].get("boundary", "").encode()
    cut = mark[:5] in request.content and not request.content.endswith(b"--" + mark + b"--\r\n")
    if is_submit(request) and mark and cut:
        request = rebuilt(
            request, request.content[: request.content.rindex(mark[:5])].rstrip(b"-") + b"--" + mark + b"--\r\n"
        )
    return transport.plain(request)


def breaks_on_bad_json(transport: Tampering, request: httpx.Request) -> httpx.Response:
    """Answers broken JSON with a server error."""
    try:
        json.loads(request.content)
    except ValueError:
        if request.url.path.endswith(QUERY):
            return answering(500, {"code": 9999, "msg": "oops"})
    return transport.plain(request)


def byte_order_mark(transport: Tampering, request: httpx.Request) -> httpx.Response:
    """Write a byte order mark before JSON, which RFC 8259 forbids."""
    response = transport.plain(request)
    content = response.read()
    if not content.startswith(b"{"):
        return response
    headers = [(name, value) for name, value in response.headers.items() if name != "content-length"]
    return httpx.Response(response.status_code, headers=headers, content=b"\xef\xbb\xbf" + content)


def idempotent() -> Send:
    """Answer a second request with the same Idempotency-Key like the first."""
    envelope: dict[str, tuple[int, bytes]] = {}

    def send(transport: Tampering, request: httpx.Request) -> httpx.Response:
        key = request.headers.get("idempotency-key", "")
        if key not in envelope:
            response = transport.plain(request)
            if not key:
                return response
            envelope[key] = response.status_code, response.read()
        status, content = envelope[key]
        return httpx.Response(status, headers={"content-type": "application/json"}, content=content)

    return send


def turned_round() -> Change:
    """Turn the order of addresses round at every other query."""
    number = count()

    def change(data: Mapping[str, Any]) -> dict[str, Any]:
        urls = list(data.get("url", ()))
        return {**data, "url": urls[:: -1 if next(number) % 2 else 1]}

    return change
