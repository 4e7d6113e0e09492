"""Relations of the key: where it travels, which key counts, and what belongs to which account."""

# ruff: noqa: E501 -- one case a line reads as a table

from base64 import b64encode
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from typing import Final

from seedream_testing.contract.api_facts import ApiFacts, Part, text
from seedream_testing.contract.relations.relation import Example, Need, Relation, fail
from seedream_testing.contract.samples import png
from seedream_testing.contract.server_under_test import Headers, Reply, ServerUnderTest
from seedream_testing.contract.violation import Unobservable

_RULE: Final = "AUTH-KEY"
_ONE: Final = (text("prompt", "a fish"), text("batchsize", 1))
_WORDS: Final = (
    "anonymous", "test", "sk-test", "demo", "guest", "admin", "root", "public", "none", "true", "0", "1", "-",
)  # fmt: skip
_OTHER_HEADERS: Final = (
    "X-API-Key", "X-Auth-Token", "X-Access-Token", "X-Api-Token", "Api-Key", "Proxy-Authorization", "X-Authorization", "Authentication", "Token",
)  # fmt: skip
# By these, some servers know a proxy that has checked the caller already, or a caller of their own network.
_SOURCES: Final = (
    "x-forwarded-for", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip", "x-cluster-client-ip", "x-originating-ip", "x-remote-ip", "x-remote-addr",
)  # fmt: skip
_CALLERS: Final = (
    "x-forwarded-user", "x-remote-user", "remote-user", "x-authenticated-user", "x-user", "x-user-id", "x-account", "x-account-id", "x-tenant-id", "x-uid", "uid", "x-consumer-username", "x-role",
)  # fmt: skip
_FREE: Final = (
    "x-internal", "x-internal-request", "x-admin", "x-debug", "x-test", "x-skip-auth", "x-bypass-auth", "x-authenticated", "x-health-check", "x-gateway",
)  # fmt: skip
_TRUSTED: Final[dict[str, Headers]] = {
    **{f"the caller's address {address}": {**dict.fromkeys(_SOURCES, address), "forwarded": f"for={address}"} for address in ("127.0.0.1", "10.0.0.1", "192.168.0.1")},
    **{f"the caller's name {caller}": dict.fromkeys(_CALLERS, caller) for caller in ("1", "admin")},
    **{f"{value} in headers that ask for no check": dict.fromkeys(_FREE, value) for value in ("1", "true")},
    "a certificate that a proxy has checked": {"x-ssl-client-verify": "SUCCESS", "ssl-client-verify": "SUCCESS", "x-client-verify": "SUCCESS", "x-forwarded-client-cert": "Subject=CN=admin", "x-ssl-client-s-dn": "CN=admin"},
    "the path of a health check": {"x-original-url": "/health", "x-rewrite-url": "/health", "x-forwarded-uri": "/health", "user-agent": "kube-probe/1.31"},
    "the vendor's page": {"origin": "https://docs.tensorslab.com", "referer": "https://docs.tensorslab.com/", "sec-fetch-site": "same-site"},
    "the host localhost": {"x-forwarded-host": "localhost", "x-original-host": "localhost", "origin": "http://localhost", "referer": "http://localhost/"},
}  # fmt: skip
_COOKIES: Final = ("token", "api_key", "key", "session", "access_token")
_NAMES: Final = ("key", "api_key", "apikey", "token", "access_token")
Operation = Callable[[ServerUnderTest, str, Headers], Reply]
_OPERATIONS: Final[dict[str, Operation]] = {
    "submission": lambda server, taskid, headers: server.submit(_ONE, headers),  # noqa: ARG005 -- one signature
    "query": lambda server, taskid, headers: server.ask(server.facts.query, {"taskid": taskid}, headers),
    "deletion": lambda server, taskid, headers: server.ask(server.facts.delete, {"taskids": [taskid]}, headers),
}  # fmt: skip


def _changed(key: str) -> Iterator[tuple[str, str]]:
    """Yield keys that are not the key."""
    middle = len(key) // 2

    def other(at: int) -> str:
        return key[:at] + ("x" if key[at] != "x" else "y") + key[at + 1 :]

    yield "an unknown key", _NOBODY
    yield "the key without its last character", key[:-1]
    yield "the key without its first character", key[1:]
    yield "the first half of the key", key[:middle]
    yield "the second half of the key", key[middle:]
    yield "the first character of the key", key[:1]
    yield "the key and one more character", f"{key}x"
    yield "one more character and the key", f"x{key}"
    yield "the key twice", key + key
    yield "the key with another last character", other(len(key) - 1)
    yield "the key with another first character", other(0)
    yield "the key with another character in the middle", other(middle)
    yield "the key turned round", key[::-1]
    yield "the key in capital letters", key.upper()
    yield "the key in small letters", key.lower()
    yield "the key with its case swapped", key.swapcase()
    yield "the key with a space inside", f"{key[:middle]} {key[middle:]}"
    yield "the key with a hyphen inside", f"{key[:middle]}-{key[middle:]}"
    yield "the key without hyphens", key.replace("-", "")
    yield "the key and a comma", f"{key},"
    yield "the key and a semicolon", f"{key};"
    yield "the key in quotation marks", f'"{key}"'
    yield "the key with stars", key[:3] + "*" * (len(key) - 3)
    yield "the key percent-encoded", "".join(f"%{ord(one):02X}" for one in key)
    yield "the key partly percent-encoded", f"%{ord(key[0]):02X}{key[1:]}"
    yield "the key in Base64", b64encode(key.encode()).decode()
    yield "the key in hexadecimal", key.encode().hex()
    yield "the key in character references", "".join(f"&#{ord(one)};" for one in key)
    yield "the key in brackets", f"[{key}]"
    yield "the key in angle brackets", f"<{key}>"
    yield "the key and an equals sign", f"{key}="
    yield "the key and a parameter", f"{key}, realm=x"
    yield "the key with underscores for hyphens", key.replace("-", "_")
    for word in _WORDS:
        yield f"the word {word}", word
    yield "a star", "*"
    yield "a percent sign", "%"
    yield "the text null", "null"
    yield "the text undefined", "undefined"
    yield "a quotation mark for a database", "' OR '1'='1"
    yield "a template of the vendor's", "YOUR_API_KEY"


_NOBODY: Final = "sk-0000-no-account-has-this-key"
_SCHEMES: Final = (
    ("Basic", b64encode(f"user:{_NOBODY}".encode()).decode()), ("Basic", "Og=="), ("Digest", f'username="{_NOBODY}"'), ("Token", _NOBODY),
    ("ApiKey", _NOBODY), ("Key", _NOBODY), ("JWT", "e30.e30."), ("Negotiate", "YII="),
)  # fmt: skip


def _guarded(
    name: str, operation: str, headers: Callable[[ServerUnderTest], Headers], needs: tuple[Need, ...] = ()
) -> Example:
    """Return an example of an operation that must be refused for its key; it must not do its work either."""

    def run(server: ServerUnderTest) -> None:
        taskid = "" if operation == "submission" else str(server.known_task().data["taskid"])
        sent = headers(server)
        what = f"a {operation} with {name}"
        reply = server.must_refuse(lambda: _OPERATIONS[operation](server, taskid, sent), what, _RULE)
        if taskid and taskid.encode() in reply.body and server.facts.query.encode() not in reply.body and reply.data:
            raise fail(f"{what} was refused, but tells about the task", _RULE, reply)
        if operation == "deletion" and not server.accepted(after := server.query(taskid)):
            raise fail(f"{what} was refused, but the task is gone", _RULE, after)

    return Example(f"{operation}: {name}", run, 0 if operation == "submission" else 1, needs)


def _missing(facts: ApiFacts) -> Iterator[Example]:
    header, scheme = facts.auth_header, facts.auth_scheme
    ways: dict[str, Headers] = {
        "no key": {}, "an empty header": {header: ""}, "only the scheme": {header: scheme},
    }  # fmt: skip
    for operation in _OPERATIONS:
        for name, headers in (ways | _TRUSTED).items():
            yield _guarded(name, operation, lambda _, headers=headers: headers)


def _elsewhere(facts: ApiFacts) -> Iterator[Example]:
    header, scheme = facts.auth_header, facts.auth_scheme
    others = (*_OTHER_HEADERS, f"{header}s", f"X-{header}")
    places = [  # what is said, the header, and how the key is written in it
        *((f"the key in the header {other}", other, f"{scheme} {{}}") for other in others),
        *((f"only the key in the header {other}", other, "{}") for other in others),
        *((f"the key in the cookie {cookie}", "cookie", f"{cookie}={{}}") for cookie in (header, *_COOKIES)),
    ]
    for operation, (name, place, written) in product(_OPERATIONS, places):

        def headers(server: ServerUnderTest, place: str = place, written: str = written) -> Headers:
            return {place: written.format(server.key)}

        yield _guarded(name, operation, headers)
    for name in (*_NAMES, header):

        def run(server: ServerUnderTest, name: str = name) -> None:
            path = f"{server.facts.query}?{name}={server.key}"
            taskid = str(server.known_task().data["taskid"])
            ways: dict[str, Callable[[], Reply]] = {
                f"{name} in the address": lambda: server.ask(path, {"taskid": taskid}, {}),
                f"the field {name}": lambda: server.submit((*_ONE, text(name, server.key)), {}),
                f"the member {name}": lambda: server.ask(server.facts.query, {"taskid": taskid, name: server.key}, {}),
            }
            for way, send in ways.items():
                server.must_refuse(send, f"the key as {way}", _RULE)

        yield Example(f"the key as {name} in the address, a field or a member", run, 1)


def _unknown(facts: ApiFacts) -> Iterator[Example]:
    for operation in _OPERATIONS:
        for number, (name, _) in enumerate(_changed("sk-Example-key-0000")):

            def headers(server: ServerUnderTest, number: int = number, name: str = name) -> Headers:
                other = list(_changed(server.key))[number][1]
                if server.key in (other, other.strip()) or not other.isprintable():
                    raise Unobservable(f"for this key, “{name}” is the key itself")
                return facts.authorization(other)

            yield _guarded(name, operation, headers, needs=(Need.UNKNOWN_KEY,))
        for name, more in _TRUSTED.items():
            both = {**dict(more), **facts.authorization(_NOBODY)}
            yield _guarded(f"an unknown key and {name}", operation, lambda _, both=both: both, (Need.UNKNOWN_KEY,))
        for scheme, credentials in _SCHEMES:
            yield _guarded(
                f"an unknown key as {scheme} {credentials[:4]}",
                operation,
                lambda _, sent=f"{scheme} {credentials}": {facts.auth_header: sent},
                needs=(Need.UNKNOWN_KEY,),
            )


def _second(facts: ApiFacts) -> Iterator[Example]:  # noqa: C901, PLR0915 -- one function an example
    needs = (Need.SECOND_KEY,)

    def paid(server: ServerUnderTest, second: ServerUnderTest) -> str:
        server.spent += 1  # whichever account pays, it is of the budget
        return second.task(_ONE)

    def query(server: ServerUnderTest) -> None:
        taskid = server.known_task().data["taskid"]
        with server.with_key(server.second_key) as second:
            second.must_refuse(lambda: second.query(taskid), "a query for another account's task", "TASK-OWN")

    def trusted(server: ServerUnderTest, name: str) -> None:
        taskid = str(server.known_task().data["taskid"])
        with server.with_key(server.second_key) as second:
            sent = second.headers(*dict(_TRUSTED[name]).items())
            what = f"a query for another account's task with {name}"
            second.must_refuse(lambda: second.ask(server.facts.query, {"taskid": taskid}, sent), what, "TASK-OWN")

    def deletion(server: ServerUnderTest) -> None:
        taskid = str(server.known_task().data["taskid"])
        with server.with_key(server.second_key) as second:
            reply = second.delete(taskid)
        after = server.query(taskid)
        if not server.accepted(after):
            raise fail("another account's key deleted the task", "TASK-OWN", reply)

    def with_uid(server: ServerUnderTest) -> None:
        taskid = str(server.known_task().data["taskid"])
        with server.with_key(server.second_key) as second:
            for uid in ("0", "1", "admin", taskid):
                reply = second.ask(server.facts.delete, {"taskids": [taskid], "uid": uid})
                if not server.accepted(server.query(taskid)):
                    raise fail(f"another account's key deleted the task with the uid {uid!r}", "TASK-OWN", reply)

    def mixed(server: ServerUnderTest) -> None:
        taskid = str(server.known_task().data["taskid"])
        with server.with_key(server.second_key) as second:
            for order in (1, -1):
                reply = second.delete(*(paid(server, second), taskid)[::order])
                if not server.accepted(server.query(taskid)):
                    raise fail("a deletion of one's own and another's task deleted the other's", "TASK-OWN", reply)

    def ids(server: ServerUnderTest) -> None:
        first = server.task(_ONE)
        with server.with_key(server.second_key) as second:
            theirs = paid(server, second)
            if first == theirs:
                raise fail("two accounts got one task id", "TASK-OWN")
            second.must_refuse(lambda: second.query(first), "a query for another account's newest task", "TASK-OWN")
            state = second.completed(theirs)
        own = server.completed(first)
        if set(own.data.get("url", ())) & set(state.data.get("url", ())):
            raise fail("two accounts' tasks name one picture", "TASK-OWN", state)

    def back(server: ServerUnderTest) -> None:
        with server.with_key(server.second_key) as second:
            theirs = paid(server, second)
            server.must_refuse(
                lambda: server.query(theirs), "a query for the second account's task with the first key", "TASK-OWN"
            )
            server.delete(theirs)
            if not second.accepted(after := second.query(theirs)):
                raise fail("the first key deleted the second account's task", "TASK-OWN", after)
            second.delete(theirs)
        what = "a query for the second account's deleted task with the first key"
        server.must_refuse(lambda: server.query(theirs), what, "TASK-OWN")

    del facts
    yield Example("query of another account's task", query, 1, needs)
    for name in _TRUSTED:
        yield Example(f"query of another account's task with {name}", partial(trusted, name=name), 1, needs)
    yield Example("deletion of another account's task", deletion, 1, needs)
    yield Example("deletion of another account's task with a uid", with_uid, 1, needs)
    yield Example("deletion of one's own and another account's task", mixed, 3, needs)
    yield Example("the same form with two keys", ids, 2, needs)
    yield Example("the second account's task with the first key", back, 1, needs)


def _no_credits(facts: ApiFacts) -> Iterator[Example]:
    needs = (Need.NO_CREDITS,)
    prompt, batch, size = text("prompt", "a fish"), text("batchsize", 3), text("resolution", "4096x4096")
    url, file = text("imageUrl", "https://example.com/1.png"), Part("sourceImage", png(), "a.png", "image/png")
    large = Part("sourceImage", png(length=2**21), "a.png", "image/png")
    forms: dict[str, tuple[Part, ...]] = {
        "a source image and an address": (prompt, url, file), "a source image and a number": (prompt, file, batch), "an address and a number": (prompt, url, batch),
        "a source image and a size": (prompt, file, size), "an address and a size": (prompt, url, size), "a number and a size": (prompt, batch, size), "the file first": (file, prompt),
        "a large source image": (prompt, large), "ten source images": (prompt, *[file] * 10), "every field": (prompt, batch, size, url, file, text("category", facts.defaults.get("category", "seedreamv45"))),
    }  # fmt: skip
    forms |= {case.name: case.wire for case in facts.legal if case.wire is not None}
    for name, parts in forms.items():

        def run(server: ServerUnderTest, parts: tuple[Part, ...] = parts, name: str = name) -> None:
            with server.with_key(server.no_credits_key) as poor:
                reply = poor.must_refuse(
                    lambda: poor.submit(parts), f"{name} without credits", "CODE-MEANING", server.facts.no_credits
                )
                if reply.code != server.facts.no_credits:  # also under an HTTP status of its own
                    raise fail("missing credits are reported without the code for them", "CODE-MEANING", reply)

        if facts.judge(parts).legal:
            yield Example(f"{name} without credits", run, 0, needs)

    for case in facts.illegal:

        def illegal(
            server: ServerUnderTest,
            parts: tuple[Part, ...] = case.wire or (),
            name: str = case.name,
            rule: str = case.rule,
        ) -> None:
            with server.with_key(server.no_credits_key) as poor:
                reply = poor.submit(parts)
                # Which of the two is missing first, the page does not say.
                code = facts.no_credits if reply.code == facts.no_credits else None
                poor.check_refused(reply, f"{name} without credits", rule, code)

        if case.wire is not None:
            yield Example(f"illegal: {case.name} without credits", illegal, 0, needs)

    def others(server: ServerUnderTest) -> None:
        with server.with_key(server.no_credits_key) as poor:
            poor.must_refuse(lambda: poor.query("no-such-task"), "a query for an unknown id without credits", "TASK-ID")
            reply = poor.delete("no-such-task")
            if not poor.accepted(reply):
                poor.check_refused(reply, "a deletion of an unknown id without credits", "TASK-ID")

    yield Example("a query and a deletion need no credits", others, 0, needs)


RELATIONS: Final = (
    Relation("key.missing", _RULE, "Without a key, or with an empty one, no operation is done, whoever other headers say is asking.", _missing),
    Relation("key.elsewhere", _RULE, "A key anywhere but in its header does not count.", _elsewhere),
    Relation("key.unknown", _RULE, "A key that is not exactly the account's is refused by every operation.", _unknown, unseen="A server that accepts every key cannot show it (--any-key)."),
    Relation("key.second", "TASK-OWN", "What belongs to one account can be neither seen nor deleted by another.", _second, unseen="Needs the key of a second account."),
)  # fmt: skip
CREDITS: Final = (
    Relation("key.credits", "CODE-MEANING", "An account without credits gets the code for it, and no task, whatever legal form it sends.", _no_credits, unseen="Needs the key of an account without credits."),
)  # fmt: skip
