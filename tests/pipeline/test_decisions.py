"""Updates that a person must decide: exit code 3 and nothing replaced, until ACCEPT=1 goes on."""

from typing import Any

import pytest
from page_edits import ROUTE, RepositoryCopy, body, document, edited, field, operation, page, replaced, schema
from pipeline.strict_yaml import dump_yaml

SEED = {"type": "integer"}


def _describe(name: str, text: str) -> Any:
    return lambda d: field(d, name).update(description=text)


def _rename(owner: Any, old: str, new: str) -> None:
    owner[new] = owner.pop(old)


# name -> (page, words of the message)
STOPS: dict[str, tuple[bytes, tuple[str, ...]]] = {
    # a sentence that a rule rests on changed or vanished
    "fact changed": (
        replaced(("[3,686,400", "[4,000,000")),
        ("rule: RES-PIXELS", "[3,686,400", "[4,000,000", "fact minimum: 3686400 -> 4000000", "Breaking: yes"),
    ),
    "fact added to a list": (
        replaced(("3:2）", "3:2、21:9）")),
        ("rule: RES-RATIO", "fact values: 9:16, 16:9, 3:4, 4:3, 1:1, 2:3, 3:2 -> 9:16", "21:9", "Breaking: no"),
    ),
    "fact gone from a list": (
        replaced(("2:3、3:2）", "2:3）")),
        ("rule: RES-RATIO", "2:3, 3:2 -> 9:16", "Breaking: yes"),
    ),
    "tier added": (replaced(("2K、4K", "2K、4K、8K")), ("rule: RES-TIER", "fact values: 2K, 4K -> 2K, 4K, 8K")),
    "words changed": (
        replaced(("总像素范围", "像素总数范围")),
        ("rule: RES-PIXELS", "every number and list is as before; read whether the words"),
    ),
    "meanings swapped": (
        replaced(("9999=失败，9000=积分不足", "9000=失败，9999=积分不足")),
        ("rule: CODE-MEANING", "was | 响应状态码：1000=成功，9999=失败", "now | 响应状态码：1000=成功，9000=失败"),
    ),
    "sentence gone": (
        edited(lambda d: _describe("resolution", field(d, "resolution")["description"].split("示例")[0])(d)),
        ("rule: RES-EXAMPLES", "its sentence is gone from submit/request/resolution"),
    ),
    "description gone": (
        edited(lambda d: field(d, "prompt").pop("description")),
        ("rule: PROMPT-REQUIRED", "is gone from submit/request/prompt"),
    ),
    "sentence moved": (
        edited(_describe("prompt", "提示词"), _describe("category", "分类标识，默认为seedreamv45。提示词（必填）")),
        ("rule: PROMPT-REQUIRED", "its sentence moved from submit/request/prompt to submit/request/category"),
    ),
    "schema and prose agree": (
        replaced(("maximum: 15", "maximum: 20"), ("1-15", "1-20")),
        ("rule: BATCH-RANGE", "批量生成数量，1-20", "batchsize/maximum 15 -> 20"),
    ),
    "auth prose": (replaced(("Authorization字段", "X-Key字段")), ("rule: AUTH-KEY",)),
    # new or changed prose of a field that no rule claims
    "negated": (
        replaced(("支持三种格式", "不再支持三种格式")),
        (
            "unreviewed text: submit/request/resolution",
            "now | 不再支持三种格式",
            "rules that rest on this text: RES-FORMAT",
        ),
    ),
    "one more code": (
        replaced(("积分不足", "积分不足，9001=限流")),
        ("unreviewed text: submit/reply/code", "9001=限流"),
    ),
    "one more sentence": (
        replaced(("提示词（必填）", "提示词（必填）。最长 800 字")),
        ("unreviewed text: submit/request/prompt", "now | 最长 800 字"),
    ),
    "reply prose": (
        replaced(("响应消息", "响应消息。失败时为原因")),
        ("unreviewed text: submit/reply/msg", "now | 失败时为原因"),
    ),
    "new field with prose": (
        edited(lambda d: body(d)["properties"].update(seed={**SEED, "description": "0 到 100"})),
        ("unreviewed text: submit/request/seed", "now | 0 到 100", "submit request seed added"),
    ),
    "prose of the body": (
        edited(lambda d: operation(d)["requestBody"].update(description="二选一")),
        ("unreviewed text: submit/request#description (of the body)",),
    ),
    "prose of the schema": (
        edited(lambda d: body(d).update(description="二选一")),
        ("unreviewed text: submit/request",),
    ),
    "prose of an item": (
        edited(lambda d: field(d, "sourceImage")["items"].update(description="最大 10 MB")),
        ("unreviewed text: submit/request/sourceImage[]",),
    ),
    "prose in a title": (
        edited(lambda d: field(d, "imageUrl").update(title="最多 3 个")),
        ("submit/request/imageUrl#title",),
    ),
    "prose in an extension": (
        edited(lambda d: field(d, "imageUrl").update({"x-note": "最多 3 个"})),
        ("submit/request/imageUrl#x-note",),
    ),
    "prose of another media type": (
        edited(
            lambda d: operation(d)["requestBody"]["content"].update(
                {"application/json": {"schema": {"properties": {"prompt": {"description": "最长 10 字"}}}}}
            )
        ),
        ("unreviewed text: submit/request application.json/prompt", "now | 最长 10 字"),
    ),
    "prose beside a reference": (
        edited(lambda d: schema(d, "GeneralResponse")["allOf"][1]["properties"]["data"].update(description="最多一天")),
        ("unreviewed text: submit/reply/data", "最多一天"),
    ),
    # the overlay
    "prompt required now": (
        edited(lambda d: body(d).update(required=["prompt"])),
        ("the overlay action is needless", "rests on PROMPT-REQUIRED", "action 3"),
    ),
    "body required now": (
        edited(lambda d: operation(d)["requestBody"].update(required=True)),
        ("is needless", "action 2"),
    ),
    "tag is ASCII now": (edited(lambda d: operation(d).update(tags=["images"])), ("is needless", "action 1")),
    "no tag any more": (edited(lambda d: operation(d).pop("tags")), ("matches nothing", "tags[0]")),
    "reply under another name": (
        edited(
            lambda d: _rename(d["components"]["schemas"], "GeneralResponse", "TaskResponse"),
            lambda d: operation(d)["responses"]["200"]["content"]["application/json"]["schema"].update(
                {"$ref": "#/components/schemas/TaskResponse"}
            ),
        ),
        (
            "has lost its ground",
            "'#/components/schemas/GeneralResponse' and is now '#/components/schemas/TaskResponse'",
        ),
    ),
    # breaking changes of the schema
    "field removed": (
        edited(lambda d: body(d)["properties"].pop("imageUrl")),
        ("breaks callers: submit request imageUrl", "submit request imageUrl removed", "rule: IMAGE-URL"),
    ),
    "field renamed": (
        edited(lambda d: _rename(body(d)["properties"], "imageUrl", "image_url")),
        ("submit request imageUrl removed", "submit request image_url added", "moved from submit/request/imageUrl"),
    ),
    "path renamed": (
        edited(lambda d: _rename(d["paths"], ROUTE, "/v1/images/seedreamv5")),
        (f"submit/path {ROUTE} -> /v1/images/seedreamv5", "Version: major"),
    ),
    "operation renamed": (
        edited(lambda d: operation(d).update(operationId="seeDreamV5")),
        ("submit/operationId seeDreamV45 -> seeDreamV5",),
    ),
    "method changed": (
        edited(lambda d: _rename(d["paths"][ROUTE], "post", "put")),
        ("submit/method post -> put",),
    ),
    "new required field": (
        edited(lambda d: body(d)["properties"].update(seed=SEED), lambda d: body(d).update(required=["seed"])),
        ("submit request seed/required (none) -> true", "callers may leave it out"),
    ),
    "field becomes required": (
        edited(lambda d: body(d).update(required=["resolution"])),
        ("submit request resolution/required false -> true",),
    ),
    "type changed": (
        edited(lambda d: field(d, "batchsize").update(type="string")),
        ("batchsize/type integer -> string",),
    ),
    "becomes an array": (
        edited(
            lambda d: body(d)["properties"].update(
                imageUrl={"description": "源图片URL", "type": "array", "items": {"type": "string"}}
            )
        ),
        ("submit request imageUrl/type string -> array",),
    ),
    "file becomes text": (
        edited(lambda d: field(d, "sourceImage")["items"].pop("format")),
        ("sourceImage[]/format binary -> (none)", "another Python type"),
    ),
    "narrowed maximum": (
        replaced(("maximum: 15", "maximum: 10")),
        (
            "batchsize/maximum 15 -> 10: a narrowed limit",
            "BATCH-RANGE: the schema says maximum 10, the prose beside it",
        ),
    ),
    "narrowed minimum": (replaced(("minimum: 1\n", "minimum: 2\n")), ("batchsize/minimum 1 -> 2: a narrowed limit",)),
    "narrowed by allOf": (
        edited(lambda d: field(d, "batchsize").update(allOf=[{"maximum": 10}])),
        ("batchsize/maximum 15 -> 10: a narrowed limit",),
    ),
    "narrowed by another part of allOf": (
        edited(lambda d: body(d).update(allOf=[{"properties": {"batchsize": {"maximum": 10}}}])),
        ("batchsize/maximum 15 -> 10: a narrowed limit",),
    ),
    "enum against the prose": (
        edited(lambda d: field(d, "resolution").update(enum=["2K", "4K"])),
        ("contradiction: RES-RATIO", "refuses what the prose allows: 9:16"),
    ),
    "closed to other fields": (
        edited(lambda d: body(d).update(additionalProperties=False)),
        ("fields that are not listed are refused",),
    ),
    "auth header": (
        edited(lambda d: d["components"]["securitySchemes"]["ApiKeyAuth"].update(name="X-Api-Key")),
        ("security ApiKeyAuth/name Authorization -> X-Api-Key",),
    ),
    "auth gone": (edited(lambda d: operation(d).pop("security")), ("submit/security",)),
    "servers of the operation": (
        edited(lambda d: operation(d).update(servers=[{"url": "https://up.tensorslab.com"}])),
        ("submit/servers",),
    ),
    "reply field removed": (
        edited(lambda d: schema(d, "GeneralData")["properties"].pop("taskid")),
        ("submit reply data.taskid removed", "rule: TASK-ID"),
    ),
    "reply field optional": (
        edited(lambda d: schema(d, "BaseResponse")["required"].remove("msg")),
        ("submit reply msg/required true -> false", "callers may count on it"),
    ),
    "reply field nullable": (
        edited(lambda d: schema(d, "GeneralData")["properties"]["taskid"].update(nullable=True)),
        ("submit reply data.taskid/nullable (none) -> true",),
    ),
    "reply with another status": (
        edited(lambda d: _rename(operation(d)["responses"], "200", "201")),
        ("submit reply/status 200 -> (none)", "moved from submit/reply/code to submit/reply 201/code"),
    ),
}


@pytest.mark.parametrize("name", STOPS)
def test_stops_then_accept_goes_on(name: str, repository: RepositoryCopy) -> None:
    data, words = STOPS[name]
    stopped = repository.take(data)
    assert (stopped.code, stopped.changed) == (3, False), stopped.text
    assert "Stopped for a decision. Nothing was replaced." in stopped.text
    for part in words:
        assert part in stopped.text
    assert "Next: " in stopped.text
    accepted = repository.take(data, accept=True)
    assert (accepted.code, accepted.changed) == (0, True), accepted.text
    again = repository.take(data)  # what was accepted is not asked again
    assert (again.code, again.changed) == (0, False), again.text


# Updates that ACCEPT=1 cannot settle: the client could not send a request any more. They need a hand.
NEEDS_A_HAND: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "no longer required": (
        replaced(("提示词（必填）", "提示词（可选）")),
        ("rule: PROMPT-REQUIRED", "Next: in openapi/rules.yaml"),
    ),
    "required header": (
        edited(
            lambda d: operation(d).update(
                parameters=[{"in": "header", "name": "X-T", "required": True, "schema": {"type": "string"}}]
            )
        ),
        ("submit request header X-T/required (none) -> true",),
    ),
    "JSON body": (
        edited(lambda d: _rename(operation(d)["requestBody"]["content"], "multipart/form-data", "application/json")),
        ("media types ['multipart/form-data'] -> ['application/json']", "the client cannot send it"),
    ),
    "query published": (
        edited(
            lambda d: d["paths"].update(
                {
                    "/v1/images/infobytaskid": {
                        "post": {"operationId": "infoByTaskId", "responses": {"200": {"description": "x"}}}
                    }
                }
            )
        ),
        ("no operation infoByTaskId with a request body",),
    ),
    "auth doubled": (
        edited(
            lambda d: d["components"]["securitySchemes"].update(B={"type": "apiKey", "in": "header", "name": "X"}),
            lambda d: operation(d)["security"][0].update(B=[]),
        ),
        ("who may call changed", "asks for ApiKeyAuth and B, but the client can only send one API key"),
    ),
}


@pytest.mark.usefixtures("sending")
@pytest.mark.parametrize("name", NEEDS_A_HAND)
def test_what_cannot_be_sent_stops_with_accept_too(name: str, repository: RepositoryCopy) -> None:
    data, words = NEEDS_A_HAND[name]
    for accept in (False, True):
        ended = repository.take(data, accept=accept)
        assert (ended.code, ended.changed) == (3, False), ended.text
    for part in ("that needs an edit by hand", *words):
        assert part in ended.text


# ACCEPT=1 reads facts only where the sentence changed nothing but its facts; the constants follow.
@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("fact changed", "RES_PIXELS_MINIMUM: Final[int] = 4000000"),
        ("fact added to a list", '    "3:2",\n    "21:9",\n)'),
        ("fact gone from a list", '"4:3", "1:1", "2:3")'),
        ("tier added", 'RES_TIER_VALUES: Final[tuple[str, ...]] = ("2K", "4K", "8K")'),
        ("meanings swapped", "CODE_MEANING_FAILURE: Final[int] = 9000"),
    ],
)
def test_accepted_facts_reach_the_constants(name: str, line: str, repository: RepositoryCopy) -> None:
    repository.take(STOPS[name][0], accept=True)
    assert line in repository.read("generated/tensorslab_images/rules.py")


# Where the facts cannot be read for sure, ACCEPT=1 stops too and says what needs a hand; a hand can then settle it.
def test_accept_guesses_no_fact(repository: RepositoryCopy) -> None:
    data = replaced(("总像素范围：[3,686,400, 16,777,216]（例如从 2560x1440 到 4096x4096）", "总像素不低于四百万"))
    ended = repository.take(data, accept=True)
    assert (ended.code, ended.changed) == (3, False)
    assert "that needs an edit by hand" in ended.text
    assert "minimum (3686400) is not there" in ended.text


# Where the page states a rule twice with other facts, which of them hold is not guessed either.
@pytest.mark.parametrize(
    ("sentence", "fact", "others"),
    [
        (
            "总像素范围：[3,686,400, 16,777,216]（例如从 2560x1440 到 4096x4096）",
            "3,686,400",
            ("4,000,000", "5,000,000"),
        ),
        ("宽高比（9:16、16:9、3:4、4:3、1:1、2:3、3:2）", "、3:2", ("、3:2、21:9", "")),
        ("批量生成数量，1-15", "15", ("20", "25")),
        ("响应状态码：1000=成功，9999=失败，9000=积分不足", "9999", ("9998", "9997")),
    ],
)
@pytest.mark.parametrize("stays", ["first", "last", "none"])
def test_a_rule_that_is_stated_twice_stops_with_accept_too(
    sentence: str, fact: str, others: tuple[str, str], stays: str, repository: RepositoryCopy
) -> None:
    one, two = (sentence.replace(fact, other) for other in others)
    said = {"first": (sentence, one), "last": (one, sentence), "none": (one, two)}[stays]
    data = replaced((sentence, "。".join(said)))
    for accept in (False, True):
        ended = repository.take(data, accept=accept)
        assert (ended.code, ended.changed) == (3, False), ended.text
    assert "that needs an edit by hand" in ended.text
    assert all(words in ended.text for words in said)


# What the page no longer says is kept, but as inferred: it is not enforced any more.
def test_a_vanished_sentence_makes_the_rule_inferred(repository: RepositoryCopy) -> None:
    repository.take(STOPS["sentence gone"][0], accept=True)
    row = repository.read("openapi/rules.yaml").split("RES-EXAMPLES:")[1].split("PROMPT-REQUIRED:")[0]
    assert "standing: inferred" in row
    assert "sentences" not in row


# Reviewed edits of the ledger go on without ACCEPT=1.
def test_reviewed_edits_go_on(repository: RepositoryCopy) -> None:
    data = replaced(("[3,686,400", "[4,000,000"))
    stopped = repository.take(data)
    repository.edit("openapi/rules.yaml", "总像素范围：[3,686,400", "总像素范围：[4,000,000")
    repository.edit("openapi/rules.yaml", "minimum: 3686400", "minimum: 4000000")
    half = repository.take(data)
    assert half.code == 3
    assert "unreviewed text: submit/request/resolution" in half.text
    assert "rule: RES-PIXELS" not in half.text
    line = half.text.split("the line `")[1].split("`")[0]
    key, _, text_digest = line.partition(": ")
    old = next(text for text in repository.read("openapi/reviewed.yaml").splitlines() if f"{key}: " in text)
    repository.edit("openapi/reviewed.yaml", old, f'    {key}: "{text_digest}"')
    ended = repository.take(data)
    assert (stopped.code, ended.code) == (3, 0), ended.text
    assert "RES_PIXELS_MINIMUM: Final[int] = 4000000" in repository.read("generated/tensorslab_images/rules.py")


def with_tasks(words: str) -> bytes:
    """Return the page with the operations on tasks and one that the client does not use, described in these words."""

    def operation_of(name: str, sent: str) -> dict[str, Any]:
        def content(field: str) -> dict[str, Any]:
            fields = {field: {"type": "string", "description": f"{field}. {words}"}}
            return {"application/json": {"schema": {"type": "object", "description": words, "properties": fields}}}

        reply = {"description": words, "content": content("msg")}
        return {
            "post": {
                "operationId": name, "summary": words, "description": words, "security": [{"ApiKeyAuth": []}],
                "requestBody": {"required": True, "content": content(sent)}, "responses": {"200": reply},
            }
        }  # fmt: skip

    roles = {"infoByTaskId": "taskid", "deleteImagesTask": "taskids", "listTasks": "page"}
    paths = {f"/v1/images/{name.lower()}": operation_of(name, sent) for name, sent in roles.items()}
    scheme = document()["components"]["securitySchemes"]["ApiKeyAuth"]
    return edited(
        lambda d: d["paths"].update(paths),
        lambda d: d["components"]["securitySchemes"].update(
            ApiKeyAuth={**scheme, "description": f"{scheme['description']}\n\n{words}"}
        ),
    )


# What the page says of a field that the client sends or reads is read by a person, whichever operation it belongs to.
def test_new_sentences_of_queries_and_deletions_stop_and_of_operations_that_are_not_used_do_not(
    repository: RepositoryCopy,
) -> None:
    accepted = repository.take(with_tasks("One."), accept=True)
    assert accepted.code == 0, accepted.text
    stopped = repository.take(with_tasks("Two."))
    assert (stopped.code, stopped.changed) == (3, False)
    assert stopped.report is not None
    places = {
        "infoByTaskId/request", "infoByTaskId/request/taskid", "infoByTaskId/reply", "infoByTaskId/reply/msg",
        "deleteImagesTask/request", "deleteImagesTask/request/taskids", "deleteImagesTask/reply",
        "deleteImagesTask/reply/msg", "security/ApiKeyAuth",
    }  # fmt: skip
    assert {(found.kind, found.subject) for found in stopped.report.findings} == {("prose", place) for place in places}


# The key never travels in the clear: no ACCEPT=1 for that.
@pytest.mark.parametrize("url", ["http://api.tensorslab.com", "//api.tensorslab.com", "/", "https://{region}.x.com"])
def test_server_that_is_not_https(url: str, repository: RepositoryCopy) -> None:
    data = edited(lambda d: d["servers"][0].update(url=url))
    for accept in (False, True):
        ended = repository.take(data, accept=accept)
        assert (ended.code, ended.changed) == (3, False)
        assert "the key may only travel to an absolute https:// address" in ended.text


# The page may contradict itself: that is taken with ACCEPT=1, but said.
def test_examples_against_bounds_are_reported(repository: RepositoryCopy) -> None:
    ended = repository.take(replaced(("如 2048x2048", "如 1920x1080")), accept=True)
    assert ended.code == 0
    assert "RES-FORMAT calls 1920x1080 valid, RES-PIXELS says otherwise" in ended.text


# An update of several kinds at once tells all of them.
def test_many_changes_at_once(repository: RepositoryCopy) -> None:
    found = document(
        lambda d: field(d, "batchsize").update(maximum=10),
        lambda d: body(d)["properties"].pop("imageUrl"),
        _describe("prompt", "提示词"),
        lambda d: body(d).update(required=["prompt"]),
    )
    ended = repository.take(page(dump_yaml(found).encode()))
    for words in ("rule: PROMPT-REQUIRED", "imageUrl removed", "15 -> 10", "is needless", "Version: major"):
        assert words in ended.text
