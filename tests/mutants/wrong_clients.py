"""Clients with one fault each. Every one must be found by check_client, under a rule that fits."""

import facts
from attrs import evolve
from mutants._client_faults import (
    AfterRefusal,
    Careless,
    Clamps,
    Impatient,
    InPlace,
    LeavesParts,
    Mute,
    Naive,
    Reassuring,
    Showing,
    Timid,
    Upscales,
    UrlsExtension,
    again_on_500,
    again_when_lost,
    by_task,
    codes,
    cookies,
    data,
    each,
    extra_part_header,
    fixed_boundary,
    follows,
    forgets_task_ids_of_errors,
    json_body,
    key_in_image_url,
    key_to_image_host,
    stated,
    twice,
    uncounted,
    urlencoded,
)
from mutants._combined_faults import COMBINED_CLIENTS
from mutants._relation_faults import RELATION_CLIENTS
from mutants._wrong import WrongClient, is_submit, on_parts, on_submit, rebuilt

WRONG_CLIENTS = (
    WrongClient(
        "drops the last source image",
        "SOURCE-IMAGE WIRE-EXACT",
        on_parts(lambda parts: parts[:-1] if parts[-1].filename else parts),
    ),
    WrongClient(
        "drops the resolution",
        "RES-FORMAT RES-RATIO",
        on_parts(lambda parts: [p for p in parts if p.name != "resolution"]),
    ),
    WrongClient("sends None as text", "WIRE-EXACT", on_parts(lambda parts: stated(parts, "imageUrl", None))),
    WrongClient(
        "sends a default that was not asked for", "WIRE-EXACT", on_parts(lambda parts: stated(parts, "batchsize", 1))
    ),
    WrongClient("sends a field of its own", "WIRE-EXACT", on_parts(lambda parts: stated(parts, "client", "wrong"))),
    WrongClient("sends the prompt twice", "PROMPT-REQUIRED", on_parts(lambda parts: [*parts, parts[0]])),
    WrongClient("trims the prompt", "PROMPT-REQUIRED", on_parts(lambda parts: each(parts, "prompt", bytes.strip))),
    WrongClient(
        "changes line ends in the prompt",
        "PROMPT-REQUIRED",
        on_parts(lambda parts: each(parts, "prompt", lambda content: content.replace(b"\r\n", b"\n"))),
    ),
    WrongClient(
        "sends batchsize as a fraction",
        "BATCH-RANGE",
        on_parts(lambda parts: each(parts, "batchsize", lambda content: content + b".0")),
    ),
    WrongClient(
        "escapes the URL again",
        "IMAGE-URL",
        on_parts(lambda parts: each(parts, "imageUrl", lambda content: content.replace(b"%", b"%25"))),
    ),
    WrongClient("turns the files round", "SOURCE-IMAGE", on_parts(lambda parts: list(reversed(parts)))),
    WrongClient(
        "renames the file field",
        "WIRE-EXACT SOURCE-IMAGE",
        on_parts(lambda parts: [evolve(p, name="image") if p.filename else p for p in parts]),
    ),
    WrongClient(
        "sends files as text fields",
        "SOURCE-IMAGE WIRE-HTTP WIRE-BOUNDARY",
        on_parts(lambda parts: [evolve(p, filename=None) for p in parts]),
    ),
    WrongClient(
        "calls every file a PNG",
        "SOURCE-IMAGE",
        on_parts(lambda parts: [evolve(p, media_type="image/png") if p.filename else p for p in parts]),
    ),
    WrongClient("puts headers into a part", "WIRE-BOUNDARY", on_submit(extra_part_header)),
    WrongClient("uses one boundary for ever", "WIRE-BOUNDARY", on_submit(fixed_boundary)),
    WrongClient("sends another media type", "WIRE-HTTP", on_submit(urlencoded)),
    WrongClient("sends PUT", "WIRE-HTTP", on_submit(lambda request: rebuilt(request, method="PUT"))),
    WrongClient(
        "sends to the sibling's path",
        "WIRE-HTTP",
        on_submit(lambda request: rebuilt(request, url=str(request.url).replace("v45", "v4"))),
    ),
    WrongClient(
        "leaves the word Bearer out",
        "AUTH-HEADER",
        on_submit(lambda request: rebuilt(request, headers={"authorization": request.headers["authorization"][7:]})),
    ),
    WrongClient("sends no key", "AUTH-KEY", on_submit(lambda request: rebuilt(request, headers={"authorization": ""}))),
    WrongClient(
        "sends the key in a header of another name",
        "AUTH-KEY",
        on_submit(lambda request: rebuilt(request, headers={"authorization": "", "x-api-key": "sk"})),
    ),
    WrongClient(
        "queries without the key",
        "AUTH-KEY",
        lambda transport, request: transport.plain(
            request if is_submit(request) else rebuilt(request, headers={"authorization": ""})
        ),
    ),
    WrongClient("sends the key to the image host", "KEY-PRIVATE", key_to_image_host),
    WrongClient("puts the key into the picture's URL", "KEY-PRIVATE FILE-TYPE", key_in_image_url),
    WrongClient("sends cookies to the image host", "KEY-PRIVATE", cookies),
    WrongClient("shows the key in its repr", "KEY-PRIVATE", kind=Showing),
    WrongClient(
        "shows the key in errors",
        "KEY-PRIVATE",
        patches=(
            ("seedream._protocol.failures.server_text", lambda given, *_, **__: given),
            ("seedream._support.redact.holds_secret", lambda given, secret: False),
            ("seedream._support.redact.redact", lambda given, *secrets: given),
        ),
        relation="secret.echo",
    ),
    WrongClient(
        "sends the key unencrypted",
        "KEY-PRIVATE",
        patches=(("seedream._support.config.is_loopback", lambda url: True),),
    ),
    WrongClient("sends again when the reply is lost", "PAY-ONCE", again_when_lost),
    WrongClient("sends again after a server error", "PAY-ONCE", again_on_500),
    WrongClient("sends everything twice", "PAY-ONCE WIRE-EXACT PROMPT-REQUIRED", twice),
    WrongClient("follows a redirect with the form", "PAY-ONCE KEY-PRIVATE", follows),
    WrongClient("repeats a submission without its files", "WIRE-EXACT", AfterRefusal()),
    WrongClient("takes no credits for a failure", "CODE-MEANING", codes(9000, 9999)),
    WrongClient("takes a failure for no credits", "CODE-MEANING", codes(9999, 9000)),
    WrongClient("takes a failure for an unknown code", "CODE-MEANING PAY-KNOWN", codes(9999, 1234)),
    WrongClient("says that nothing was billed when the reply is lost", "PAY-KNOWN", kind=Reassuring),
    WrongClient("forgets the task id of an error", "PAY-KNOWN", forgets_task_ids_of_errors),
    WrongClient(f"takes {facts.LARGEST + 1} pictures for {facts.LARGEST}", "BATCH-RANGE", kind=Clamps),
    WrongClient(f"refuses {facts.LARGEST} pictures", "BATCH-RANGE", kind=Timid),
    WrongClient("makes small sizes larger", "RES-PIXELS", kind=Upscales),
    WrongClient("refuses without naming the rule", "PROMPT-REQUIRED BATCH-RANGE", kind=Mute),
    WrongClient(
        "takes status 5 for completed",
        "STATUS-MEANING",
        data(lambda data: {**data, "image_status": 3} if data.get("image_status") == 5 else data),
    ),
    WrongClient(
        "takes failed for processing",
        "STATUS-MEANING",
        data(lambda data: {**data, "image_status": 2} if data.get("image_status") == 4 else data),
    ),
    WrongClient(
        "swaps width and height",
        "STATUS-MEANING",
        data(lambda data: {**data, "width": data["height"], "height": data["width"]} if "width" in data else data),
    ),
    WrongClient(
        "takes another task's answer",
        "TASK-OWN",
        data(lambda data: {key: value for key, value in data.items() if key != "taskid" or "image_status" not in data}),
    ),
    WrongClient("fails on odd replies", "STATUS-MEANING ERROR-TREE", kind=Naive),
    WrongClient("takes the deadline for a failure", "PAY-KNOWN STATUS-MEANING", kind=Impatient),
    WrongClient(
        "deletes only the first task",
        "TASK-ID",
        json_body("/deleteimagestask", lambda body: {"taskids": body["taskids"][:1]}),
    ),
    WrongClient("does not notice a refused deletion", "CODE-MEANING TASK-ID STATUS-MEANING", kind=Careless),
    WrongClient(
        "queries with another field", "TASK-ID", json_body("/infobytaskid", lambda body: {"task_id": body["taskid"]})
    ),
    WrongClient(
        "writes pictures in place", "FILE-WHOLE", patches=(("seedream._protocol.download.PartialFile", InPlace),)
    ),
    WrongClient(
        "names every picture .jpg", "FILE-TYPE", patches=(("seedream._protocol.download.PartialFile", UrlsExtension),)
    ),
    WrongClient(
        "leaves temporary files",
        "FILE-WHOLE FILE-TYPE",
        patches=(("seedream._protocol.download.PartialFile", LeavesParts),),
    ),
    WrongClient(
        "keeps whatever came as a picture",
        "FILE-WHOLE",
        patches=(("seedream._files.partial_file.PartialFile.is_whole", lambda part: True),),
    ),
    WrongClient(
        "keeps pictures without their end",
        "FILE-WHOLE",
        patches=(("seedream._files.partial_file.is_whole", lambda *arguments: True),),
    ),
    WrongClient("does not count the pictures", "PAY-KNOWN", patches=(("seedream._protocol.download.save", uncounted),)),
    WrongClient(
        "lets a task id choose the directory", "FILE-PLACE", patches=(("seedream._protocol.download.save", by_task),)
    ),
    *RELATION_CLIENTS,
    *COMBINED_CLIENTS,
)
