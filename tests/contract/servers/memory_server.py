"""A server in memory, behind an httpx transport: no socket, no framework, well below a millisecond a request.

It takes the hooks of the server on Flask, so that each fault that is planted there can be planted here.
"""

import json
from collections.abc import Mapping
from typing import Any

import httpx
import judge
from contract.servers.flask_server import Accounts, Hooks, Refuse, png
from seedream_testing.contract import text
from werkzeug.http import parse_options_header

OPERATIONS = {"seedreamv45": "submit", "infobytaskid": "query", "deleteimagestask": "delete"}


class Lenient(Hooks):
    """Accepts whatever the page leaves open, as exactly what it means."""

    def form(self, fields: list[tuple[str, str | bytes]]) -> list[tuple[str, str | bytes]]:
        return [(name, self._meant(name, value)) for name, value in dict.fromkeys(fields)]

    def _meant(self, name: str, value: str | bytes) -> str | bytes:
        if isinstance(value, bytes):
            return value if name == "sourceImage" else value.decode("utf-8", "replace")
        if name == "prompt":
            return value
        return judge.form([text("prompt", "x"), text(name, value)]).meaning or value


def parts_in(body: bytes, mark: str) -> list[tuple[str, str | bytes]]:
    """Return the names and values of a form (RFC 2046, 5.1.1); files as bytes."""
    found = list[tuple[str, str | bytes]]()
    for piece in (b"\r\n" + body).split(b"\r\n--" + mark.encode())[1:] if mark else ():
        if piece.startswith(b"--"):
            return found
        head, blank, content = piece.partition(b"\r\n\r\n")
        lines = [line.partition(":") for line in head.decode("utf-8", "replace").split("\r\n")]
        headers = {name.strip().lower(): value.strip() for name, _, value in lines}
        disposition, parameters = parse_options_header(headers.get("content-disposition"))
        if lines[0][0].strip() or not blank or disposition.lower() != "form-data" or "name" not in parameters:
            raise Refuse("a part has no name")
        is_file = "filename" in parameters
        found.append((parameters["name"], content if is_file else content.decode("utf-8", "replace")))
    raise Refuse("the form has no end")


class MemoryServer(httpx.BaseTransport):
    """The API as the page describes it, with what a test may want to see."""

    def __init__(self, keys: Mapping[str, int], hooks: Hooks | None = None) -> None:
        self.accounts, self.hooks = Accounts(keys), hooks or Hooks()
        self.tasks = dict[str, dict[str, Any]]()
        self.seen = list[httpx.Request]()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.seen.append(request)
        folder, _, name = request.url.raw_path.decode().partition("?")[0].rpartition("/")
        if folder.startswith("/pictures/") and request.method == "GET":
            return self._picture(folder.removeprefix("/pictures/"), int(name.partition(".")[0]))
        if folder != "/v1/images" or name not in OPERATIONS:
            return self._reply({"code": 9999, "msg": "there is no such path"}, "http", 404)
        if request.method != "POST":
            return self._reply({"code": 9999, "msg": "another method is wanted"}, "http", 405)
        return self._guarded(OPERATIONS[name], request)

    def _reply(self, document: dict[str, Any], operation: str, status: int = 200) -> httpx.Response:
        changed = self.hooks.reply(document, operation)
        return httpx.Response(changed.pop("_status", status), json=changed)

    def _guarded(self, operation: str, request: httpx.Request) -> httpx.Response:
        key = self.hooks.authorize(request.headers.get("authorization"), self.accounts.credits, operation)
        if key is None:
            return self._reply({"code": 9999, "msg": "the key is not valid"}, operation, 401)
        try:
            data = {"submit": self._submit, "query": self._query, "delete": self._delete}[operation](request, key)
        except Refuse as refused:
            return self._reply({"code": refused.code, "msg": refused.msg}, operation)
        self.hooks.after(operation, self.accounts, key)
        return self._reply({"code": 1000, "msg": "ok", "data": data}, operation)

    def _submit(self, request: httpx.Request, key: str) -> dict[str, Any]:
        kind, parameters = parse_options_header(request.headers.get("content-type"))
        if kind.lower() != "multipart/form-data":
            raise Refuse("a form is wanted")
        found = dict[str, list[str | bytes]]()
        for name, value in self.hooks.form(parts_in(request.content, parameters.get("boundary", ""))):
            found.setdefault(name, []).append(value)
        for name in ("prompt", "batchsize", "resolution", "category", "imageUrl"):
            if len(found.get(name, ())) > 1 or any(isinstance(value, bytes) for value in found.get(name, ())):
                raise Refuse(f"{name} must be given once, as text")
        fields = {name: str(values[0]) for name, values in found.items()}
        if self.hooks.blank(prompt := fields.get("prompt", "")):
            raise Refuse("prompt is required")
        images = self.hooks.batchsize(fields.get("batchsize", "1"))
        size = self.hooks.resolution(fields.get("resolution", "2K"))
        if self.accounts.credits[key] < images:
            raise Refuse("not enough credits", 9000)
        self.accounts.credits[key] -= images
        self.accounts.charges += [(key, one) for one in self.hooks.charge(images)]
        taskid = self.hooks.new_id(self.tasks)
        self.tasks[taskid] = {
            "key": key, "id": taskid, "prompt": self.hooks.store_prompt(prompt), "images": self.hooks.pictures(images),
            "category": self.hooks.store_category(fields.get("category", "seedreamv45")), "size": size, "asked": 0,
        }  # fmt: skip
        return {"taskid": taskid}

    def _member(self, request: httpx.Request, name: str) -> Any:
        if parse_options_header(request.headers.get("content-type"))[0].lower() != "application/json":
            raise Refuse("JSON is wanted")
        try:
            document = json.loads(request.content)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise Refuse("an object is wanted")
        return document.get(name)

    def _query(self, request: httpx.Request, key: str) -> dict[str, Any]:
        task = self.hooks.find(self.tasks, self._member(request, "taskid"), key)
        if task is None:
            raise Refuse("there is no such task")
        task["asked"] += 1
        data: dict[str, Any] = {name: task[name] for name in ("prompt", "category")}
        data |= {"taskid": task["id"], "image_status": min(task["asked"], 2) + (task["asked"] > 1)}
        if data["image_status"] == 3:
            data |= {"width": task["size"][0], "height": task["size"][1], "error_message": ""}
            data["url"] = [f"http://127.0.0.1/pictures/{task['id']}/{index}.png" for index in range(task["images"])]
        return self.hooks.state(data, task)

    def _delete(self, request: httpx.Request, key: str) -> dict[str, Any]:
        listed = self._member(request, "taskids")
        if not isinstance(listed, list) or not listed or not all(isinstance(one, str) for one in listed):
            raise Refuse("taskids must be a list of ids")
        doomed = self.hooks.to_delete(self.tasks, listed, key)
        if not doomed:
            raise Refuse("there is no such task")
        for one in doomed:
            self.tasks.pop(one, None)
        return {"status": "Success"}

    def _picture(self, taskid: str, index: int) -> httpx.Response:
        task = self.tasks.get(taskid)
        if task is None or index >= task["images"]:
            return httpx.Response(404)
        made = self.hooks.picture(png(task["size"][0], task["size"][1], f"{taskid} {index}"), taskid, index)
        return httpx.Response(200, headers={"content-type": "image/png"}, content=made)
