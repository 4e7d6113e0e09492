"""A server on aiohttp: the form is read part by part, statuses move with time, replies are chunked JSON."""

# ruff: noqa: E501 -- tables

import asyncio
import hashlib
import io
import json
import re
import secrets
import time
from typing import Any

from aiohttp import BodyPartReader, web
from PIL import Image

TEXTS = ("prompt", "batchsize", "resolution", "category", "imageUrl")
TABLE = {
    "9:16": (1440, 2560),
    "16:9": (2560, 1440),
    "3:4": (1728, 2304),
    "4:3": (2304, 1728),
    "1:1": (2048, 2048),
    "2:3": (1664, 2496),
    "3:2": (2496, 1664),
    "2K": (2560, 1440),
    "4K": (4096, 2304),
}


class Bad(Exception):
    def __init__(self, code: int = 9999, msg: str = "bad request") -> None:
        super().__init__(msg)
        self.code, self.msg = code, msg


class Service:
    def __init__(self, keys: dict[str, int]) -> None:
        self.keys = keys
        self.charges: list[tuple[str, int]] = []
        self.tasks: dict[str, dict[str, Any]] = {}

    def app(self) -> web.Application:
        app = web.Application(client_max_size=64_000_000, middlewares=[self.envelope])
        app.add_routes([web.post("/v1/images/seedreamv45", self.submit), web.post("/v1/images/infobytaskid", self.query),
                        web.post("/v1/images/deleteimagestask", self.delete), web.get("/i/{task}/{number}", self.image)])  # fmt: skip
        return app

    @web.middleware
    async def envelope(self, request: web.Request, handler: Any) -> web.StreamResponse:
        try:
            result = await handler(request)
        except Bad as bad:
            return self.say({"code": bad.code, "msg": bad.msg})
        except web.HTTPException as error:
            return self.say({"code": 9999, "msg": error.reason}, error.status)
        except (ValueError, AssertionError, RuntimeError):
            return self.say({"code": 9999, "msg": "malformed"}, 400)
        return result if isinstance(result, web.StreamResponse) else self.say({"code": 1000, "msg": "", "data": result})

    @staticmethod
    def say(document: dict[str, Any], status: int = 200) -> web.Response:
        response = web.json_response(document, status=status)
        if status == 200:
            response.enable_chunked_encoding()
        return response

    def key(self, request: web.Request) -> str:
        given = re.fullmatch(r"[Bb]earer +(\S+)", request.headers.get("Authorization", ""))
        if given is None or given[1] not in self.keys:
            raise Bad(msg="no such key")
        return given[1]

    async def fields(self, request: web.Request) -> dict[str, bytes]:
        if request.content_type != "multipart/form-data":
            raise Bad(msg="a form is wanted")
        found: dict[str, bytes] = {}
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            if not isinstance(part, BodyPartReader):
                raise Bad(msg="a part within a part")
            content = bytes(await part.read())
            if part.name in TEXTS:
                if part.filename is not None or found.get(part.name, content) != content:
                    raise Bad(msg=f"{part.name} is wanted once, as text")
                found[part.name] = content
        return found

    async def submit(self, request: web.Request) -> Any:
        key = self.key(request)
        found = await self.fields(request)
        texts = {name: value.decode("utf-8") for name, value in found.items()}
        if not texts.get("prompt", "").strip():
            raise Bad(msg="prompt is required")
        count = texts.get("batchsize", "1")
        if not re.fullmatch("[0-9]{1,2}", count, re.ASCII) or not 0 < int(count) < 16:
            raise Bad(msg="batchsize")
        size = self.size(texts.get("resolution", "2K"))
        if self.keys[key] < int(count):
            raise Bad(9000, "no credits")
        self.keys[key] -= int(count)
        self.charges.append((key, int(count)))
        taskid = secrets.token_urlsafe(12)
        self.tasks[taskid] = {"key": key, "count": int(count), "size": size, "at": time.time(), **texts}
        return {"taskid": taskid, "url": ""}

    @staticmethod
    def size(given: str) -> tuple[int, int]:
        if given in TABLE:
            return TABLE[given]
        match = re.fullmatch(r"(0|[1-9]\d{0,9})x(0|[1-9]\d{0,9})", given, re.ASCII)
        if match is None or not 2560 * 1440 <= int(match[1]) * int(match[2]) <= 4096 * 4096:
            raise Bad(msg="resolution")
        return int(match[1]), int(match[2])

    async def json(self, request: web.Request, name: str) -> Any:
        body = json.loads(await request.read())
        if not isinstance(body, dict):
            raise Bad
        return body.get(name)

    async def query(self, request: web.Request) -> Any:
        key = self.key(request)
        taskid = await self.json(request, "taskid")
        task = self.tasks.get(taskid) if isinstance(taskid, str) else None
        if task is None or task["key"] != key:
            raise Bad(msg="no such task")
        age = time.time() - task["at"]
        state: dict[str, Any] = {"taskid": taskid, "image_status": 1 if age < 0.002 else 2 if age < 0.004 else 3,
                                "starttime": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(task["at"]))}  # fmt: skip
        if state["image_status"] == 3:
            state["url"] = [
                f"http://{request.host}/i/{taskid}/{number}?sig={secrets.token_hex(4)}"
                for number in range(task["count"])
            ]
            state |= {"prompt": task["prompt"], "width": task["size"][0], "height": task["size"][1]}
        return state

    async def delete(self, request: web.Request) -> Any:
        key = self.key(request)
        ids = await self.json(request, "taskids")
        if not isinstance(ids, list) or not ids or any(not isinstance(one, str) or not one for one in ids):
            raise Bad
        for one in ids:
            if self.tasks.get(one, {}).get("key") == key:
                del self.tasks[one]
        return {"status": "Success"}

    async def image(self, request: web.Request) -> web.Response:
        task = self.tasks.get(request.match_info["task"])
        if task is None:
            raise web.HTTPNotFound
        name = f"{request.match_info['task']}/{request.match_info['number']}"

        def draw() -> bytes:
            data = io.BytesIO()
            image = Image.new("P", task["size"])
            image.putpalette(hashlib.sha256(name.encode()).digest())
            image.save(data, "WEBP" if max(task["size"]) <= 16_383 else "PNG", lossless=True, quality=0, method=0)
            return data.getvalue()

        body = await asyncio.to_thread(draw)
        return web.Response(body=body, content_type="image/webp" if body.startswith(b"RIFF") else "image/png")
