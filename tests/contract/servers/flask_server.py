"""A server on Flask: forms parsed by werkzeug, everything in one dictionary of tasks.

Its hooks are where the planted faults go; as they are here, they do nothing.
"""

# ruff: noqa: C901, E501, PLR0915, TRY301 -- a whole server in one function

import json
import re
import secrets
import struct
import threading
import time
import unicodedata
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import Flask, Request, Response, request
from werkzeug.exceptions import HTTPException

RATIOS = {
    "9:16": (1440, 2560), "16:9": (2560, 1440), "3:4": (1728, 2304), "4:3": (2304, 1728), "1:1": (2048, 2048),
    "2:3": (1664, 2496), "3:2": (2496, 1664), "2K": (2048, 2048), "4K": (4096, 4096),
}  # fmt: skip


class Refuse(Exception):
    def __init__(self, msg: str, code: int = 9999) -> None:
        super().__init__(msg)
        self.msg, self.code = msg, code


class Hooks:
    """Every decision of the server that a planted fault may change."""

    def form(self, fields: list[tuple[str, str | bytes]]) -> list[tuple[str, str | bytes]]:
        return fields

    def refuse(self, request: Request) -> bool:  # noqa: ARG002 -- overridden by faults
        return False

    def authorize(self, header: str | None, keys: Mapping[str, Any], operation: str) -> str | None:  # noqa: ARG002
        scheme, _, key = (header or "").partition(" ")
        return key if scheme.lower() == "bearer" and key in keys else None

    def batchsize(self, value: str) -> int:
        if not re.fullmatch("[1-9][0-9]?", value, re.ASCII) or not 1 <= int(value) <= 15:
            raise Refuse("batchsize must be 1 to 15")
        return int(value)

    def resolution(self, value: str) -> tuple[int, int]:
        if value in RATIOS:
            return RATIOS[value]
        size = re.fullmatch("([1-9][0-9]{0,8})x([1-9][0-9]{0,8})", value, re.ASCII)
        if size is None or not 3_686_400 <= int(size[1]) * int(size[2]) <= 16_777_216:
            raise Refuse(f"resolution {value[:40]!r} is not allowed")
        return int(size[1]), int(size[2])

    def blank(self, prompt: str) -> bool:
        return not prompt.strip()

    def store_prompt(self, prompt: str) -> str:
        return prompt

    def store_category(self, category: str) -> str:
        return category

    def pictures(self, images: int) -> int:
        return images

    def charge(self, images: int) -> list[int]:
        return [images]

    def new_id(self, tasks: Mapping[str, Any]) -> str:
        return f"Task-{len(tasks)}-{secrets.token_hex(6)}Zx"

    def find(self, tasks: Mapping[str, dict[str, Any]], taskid: object, key: str) -> dict[str, Any] | None:
        task = tasks.get(taskid) if isinstance(taskid, str) else None
        return task if task is not None and task["key"] == key else None

    def to_delete(self, tasks: Mapping[str, dict[str, Any]], taskids: Sequence[str], key: str) -> list[str]:
        return [one for one in taskids if self.find(tasks, one, key) is not None]

    def after(self, operation: str, accounts: "Accounts", key: str) -> None:
        """Called when an operation was done."""

    def state(self, data: dict[str, Any], task: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        return data

    def reply(self, document: dict[str, Any], operation: str) -> dict[str, Any]:  # noqa: ARG002
        return document

    def picture(self, body: bytes, taskid: str, index: int) -> bytes:  # noqa: ARG002
        return body


class Accounts:
    def __init__(self, keys: Mapping[str, int]) -> None:
        self.credits = dict(keys)
        self.charges: list[tuple[str, int]] = []


def png(width: int, height: int, note: str) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    line = b"\0" + zlib.crc32(note.encode()).to_bytes(4, "big") * (((width + 7) // 8 + 3) // 4)
    rows = line[: (width + 7) // 8 + 1] * height
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    made = [chunk(b"IHDR", head), chunk(b"tEXt", b"Comment\0" + note.encode("latin-1", "replace"))]
    return b"\x89PNG\r\n\x1a\n" + b"".join([*made, chunk(b"IDAT", zlib.compress(rows, 1)), chunk(b"IEND", b"")])


def create(keys: Mapping[str, int], hooks: Hooks | None = None) -> Flask:
    """Return an application with accounts: credits by key."""
    app = Flask(__name__)
    app.config["MAX_FORM_MEMORY_SIZE"] = 8_000_000
    hook = hooks or Hooks()
    accounts, tasks = Accounts(keys), dict[str, dict[str, Any]]()
    lock = threading.Lock()
    app.extensions["accounts"], app.extensions["tasks"] = accounts, tasks

    def reply(document: dict[str, Any], operation: str, status: int = 200) -> Response:
        changed = hook.reply(document, operation)
        answered = changed.pop("_status", status)
        return Response(json.dumps(changed, ensure_ascii=False), answered, mimetype="application/json")

    def guarded(operation: str, work: Callable[[str], dict[str, Any]]) -> Response:
        try:
            key = hook.authorize(request.headers.get("Authorization"), accounts.credits, operation)
            if key is None:
                return reply({"code": 9999, "msg": "the key is not valid"}, operation, 401)
            if hook.refuse(request):
                raise Refuse("no")
            with lock:
                data = work(key)
                hook.after(operation, accounts, key)
            return reply({"code": 1000, "msg": "ok", "data": data}, operation)
        except Refuse as refused:
            return reply({"code": refused.code, "msg": refused.msg}, operation)

    @app.errorhandler(HTTPException)
    def broken(error: HTTPException) -> Response:
        return reply({"code": 9999, "msg": error.name}, "http", error.code or 400)

    @app.post("/v1/images/seedreamv45")
    def submit() -> Response:
        return guarded("submit", _submit)

    def _submit(key: str) -> dict[str, Any]:
        fields: list[tuple[str, str | bytes]] = list(request.form.items(multi=True))
        fields += [(name, file.read()) for name, file in request.files.items(multi=True)]
        found: dict[str, list[str]] = {}
        files: dict[str, int] = {}
        for name, value in hook.form(fields):
            if isinstance(value, bytes):
                files[name] = files.get(name, 0) + 1
            else:
                found.setdefault(name, []).append(value)
        for name in ("prompt", "batchsize", "resolution", "category", "imageUrl"):
            if len(found.get(name, ())) > 1 or name in files:
                raise Refuse(f"{name} must be given once, as text")
        prompt = found.get("prompt", [""])[0]
        if hook.blank(prompt):
            raise Refuse("prompt is required")
        images = hook.batchsize(found.get("batchsize", ["1"])[0])
        size = hook.resolution(found.get("resolution", ["2K"])[0])
        if accounts.credits[key] < images:
            raise Refuse("not enough credits", 9000)
        accounts.credits[key] -= images
        accounts.charges += [(key, one) for one in hook.charge(images)]
        taskid = hook.new_id(tasks)
        category = hook.store_category(found.get("category", ["seedreamv45"])[0])
        tasks[taskid] = {"key": key, "id": taskid, "prompt": hook.store_prompt(prompt), "category": category,
                         "images": hook.pictures(images), "size": size, "asked": 0, "start": time.strftime("%Y-%m-%d %H:%M:%S")}  # fmt: skip
        return {"taskid": taskid}

    def body() -> dict[str, Any]:
        if request.mimetype != "application/json":
            raise Refuse("JSON is wanted")
        document = request.get_json(silent=True)
        if not isinstance(document, dict):
            raise Refuse("an object is wanted")
        return document

    @app.post("/v1/images/infobytaskid")
    def query() -> Response:
        return guarded("query", _query)

    def _query(key: str) -> dict[str, Any]:
        taskid = body().get("taskid")
        task = hook.find(tasks, taskid, key)
        if task is None:
            raise Refuse("there is no such task")
        task["asked"] += 1
        status = min(task["asked"], 3)
        data = {
            "taskid": taskid,
            "category": task["category"],
            "starttime": task["start"],
            "image_status": status,
            "prompt": task["prompt"],
        }
        if status == 3:
            data |= {"width": task["size"][0], "height": task["size"][1], "error_message": ""}
            data["url"] = [f"{request.host_url}pictures/{task['id']}/{index}.png" for index in range(task["images"])]
        return hook.state(data, task)

    @app.post("/v1/images/deleteimagestask")
    def delete() -> Response:
        return guarded("delete", _delete)

    def _delete(key: str) -> dict[str, Any]:
        listed = body().get("taskids")
        if not isinstance(listed, list) or not listed or not all(isinstance(one, str) for one in listed):
            raise Refuse("taskids must be a list of ids")
        doomed = hook.to_delete(tasks, listed, key)
        if not doomed:
            raise Refuse("there is no such task")
        for one in doomed:
            tasks.pop(one, None)
        return {"status": "Success"}

    @app.get("/pictures/<taskid>/<int:index>.png")
    def picture(taskid: str, index: int) -> Response:
        task = tasks.get(taskid)
        if task is None or index >= task["images"]:
            return Response("gone", 404)
        width, height = task["size"]
        made = png(width, height, f"{taskid} {index}")
        return Response(hook.picture(made, taskid, index), mimetype="image/png")

    return app


def folded(value: str) -> str:
    """For faults that read full-width characters."""
    return unicodedata.normalize("NFKC", value)
