"""A server on FastAPI: forms parsed by python-multipart, values checked by pydantic."""

# ruff: noqa: C901, E501, N806 -- a whole server in one function

import datetime as dt
import hashlib
import io
import uuid
from typing import Annotated, Any

from fastapi import Depends, FastAPI, File, Form, Header, Request, UploadFile
from fastapi.exceptions import HTTPException, RequestValidationError
from fastapi.responses import JSONResponse, Response
from PIL import Image
from pydantic import AfterValidator, BaseModel, Field, StringConstraints

SHAPES = {"9:16": 9 / 16, "16:9": 16 / 9, "3:4": 3 / 4, "4:3": 4 / 3, "1:1": 1.0, "2:3": 2 / 3, "3:2": 3 / 2}
LONG = {"2K": 2048, "4K": 4096}


def to_size(resolution: str) -> tuple[int, int]:
    if resolution in LONG:
        return LONG[resolution], LONG[resolution]
    if resolution in SHAPES:
        height = int((4_194_304 / SHAPES[resolution]) ** 0.5)
        return round(height * SHAPES[resolution]), height
    width, sign, height_text = resolution.partition("x")
    sides = [side for side in (width, height_text) if side.isascii() and side.isdecimal() and len(side) < 9]
    if not sign or len(sides) != 2:
        raise ValueError("resolution is a ratio, a tier or WIDTHxHEIGHT")
    pixels = int(sides[0]) * int(sides[1])
    if pixels < 3_686_400 or pixels > 16_777_216:
        raise ValueError("the pixels are out of range")
    return int(sides[0]), int(sides[1])


def known(resolution: str) -> str:
    to_size(resolution)
    return resolution


def not_blank(prompt: str) -> str:
    if prompt.isspace() or not prompt:
        raise ValueError("prompt is required")
    return prompt


class Query(BaseModel):
    taskid: Annotated[str, StringConstraints(min_length=1)]


class Deletion(BaseModel):
    taskids: Annotated[list[str], Field(min_length=1)]
    uid: str | None = None


class Task(BaseModel):
    owner: str
    prompt: str
    category: str
    images: int
    size: tuple[int, int]
    started: dt.datetime
    polls: int = 0


def create(keys: dict[str, int]) -> FastAPI:
    """Return an application with accounts: credits by key."""
    app = FastAPI(openapi_url=None)
    tasks: dict[str, Task] = {}
    app.state.charges = []

    def fail(msg: str, code: int = 9999, status: int = 200) -> JSONResponse:
        return JSONResponse({"code": code, "msg": msg}, status)

    def done(data: dict[str, Any]) -> JSONResponse:
        return JSONResponse({"code": 1000, "msg": "success", "data": data})

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return fail(str(error.errors()[0]["msg"]))

    @app.exception_handler(HTTPException)
    async def failed(_: Request, error: HTTPException) -> JSONResponse:
        return fail(str(error.detail), status=error.status_code)

    def account(authorization: Annotated[str | None, Header()] = None) -> str:
        words = (authorization or "").split(" ")
        if len(words) != 2 or words[0].casefold() != "bearer" or words[1] not in keys:
            raise HTTPException(403, "unknown key")
        return words[1]

    Key = Annotated[str, Depends(account)]

    @app.post("/v1/images/seedreamv45")
    async def submit(
        request: Request,
        key: Key,
        prompt: Annotated[str, Form(), AfterValidator(not_blank)],
        batchsize: Annotated[int, Form(ge=1, le=15)] = 1,
        resolution: Annotated[str, Form(), AfterValidator(known)] = "2K",
        category: Annotated[str, Form()] = "seedreamv45",
        imageUrl: Annotated[str | None, Form()] = None,  # noqa: N803 -- the field's name
        sourceImage: Annotated[list[UploadFile] | None, File()] = None,  # noqa: N803 -- the field's name
    ) -> JSONResponse:
        del imageUrl, sourceImage
        sent = await request.form()
        if any(len(set(sent.getlist(name))) > 1 for name in sent if name != "sourceImage"):
            return fail("a field was given twice")
        if keys[key] < batchsize:
            return fail("insufficient credits", 9000)
        keys[key] -= batchsize
        app.state.charges.append((key, batchsize))
        taskid = uuid.uuid4().hex
        started = dt.datetime.now(dt.UTC)
        tasks[taskid] = Task(owner=key, prompt=prompt, category=category, images=batchsize, size=to_size(resolution), started=started)  # fmt: skip
        return done({"taskid": taskid})

    @app.post("/v1/images/infobytaskid")
    async def query(request: Request, key: Key, body: Query) -> JSONResponse:
        task = tasks.get(body.taskid)
        if task is None or task.owner != key:
            return fail("task not found", status=404)
        task.polls += 1
        if task.polls < 2:
            return done({"taskid": body.taskid, "image_status": 2})
        urls = [str(request.base_url.replace(path=f"/img/{body.taskid}-{number}")) for number in range(task.images)]
        return done({"taskid": body.taskid, "image_status": 3, "url": urls, "prompt": task.prompt,
                     "category": task.category, "width": task.size[0], "height": task.size[1],
                     "starttime": task.started.strftime("%Y-%m-%d %H:%M:%S"), "origseed": 7, "negative": ""})  # fmt: skip

    @app.post("/v1/images/deleteimagestask")
    async def delete(key: Key, body: Deletion) -> JSONResponse:
        if any(one not in tasks or tasks[one].owner != key for one in body.taskids):
            return fail("task not found", status=400)
        for one in body.taskids:
            tasks.pop(one, None)
        return done({"status": "Success"})

    @app.get("/img/{name}")
    async def image(name: str) -> Response:
        taskid = name.partition("-")[0]
        if taskid not in tasks:
            raise HTTPException(404, "gone")
        data = io.BytesIO()
        picture = Image.new("RGB", tasks[taskid].size, tuple(hashlib.sha256(name.encode()).digest()[:3]))
        picture.save(data, "JPEG", comment=name.encode())
        return Response(data.getvalue(), media_type="image/jpeg")

    return app
