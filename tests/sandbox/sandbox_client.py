"""A sandbox with a plain HTTP client that knows nothing of the API."""

import ssl
from collections.abc import Callable
from typing import Any

import httpx
from attrs import frozen
from seedream_sandbox import Sandbox

SUBMIT, QUERY, DELETE = "/v1/images/seedreamv45", "/v1/images/infobytaskid", "/v1/images/deleteimagestask"


_PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # never used: but making the default one takes 60 ms each


def connect(timeout: float = 10) -> httpx.Client:
    """Return a client for plain HTTP on this machine."""
    return httpx.Client(trust_env=False, timeout=timeout, verify=_PLAIN)


@frozen
class SandboxClient:
    """A sandbox and a client for it. Attributes: ``sandbox``, ``http``."""

    sandbox: Sandbox
    http: httpx.Client

    def submit(
        self, prompt: str | None = "x", *, headers: Any = None, files: Any = None, **fields: Any
    ) -> httpx.Response:
        """Send a form; text fields as given, files as httpx takes them."""
        texts = fields if prompt is None else {"prompt": prompt, **fields}
        parts = [(name, (None, str(value))) for name, value in texts.items()]
        return self.http.post(
            self.sandbox.base_url + SUBMIT, files=[*parts, *(files or [])], headers=self._headers(headers)
        )

    def made(self, prompt: str = "x", **options: Any) -> str:
        """Submit; return the task's id."""
        reply = self.submit(prompt, **options).json()
        assert 1000 == reply["code"], reply
        return str(reply["data"]["taskid"])

    def call(self, path: str, body: object, *, headers: Any = None) -> httpx.Response:
        """Send JSON."""
        return self.http.post(self.sandbox.base_url + path, json=body, headers=self._headers(headers))

    def query(self, taskid: str, *, headers: Any = None) -> Any:
        """Query a task; return the whole envelope."""
        return self.call(QUERY, {"taskid": taskid}, headers=headers).json()

    def urls(self, taskid: str) -> list[str]:
        """Query until the task is completed; return the pictures' addresses."""
        for _ in range(10):
            data = self.query(taskid)["data"]
            if 3 == data["image_status"]:
                return list(data["url"])
        raise AssertionError(f"never completed: {data}")

    def picture(self, url: str, **headers: str) -> httpx.Response:
        """Fetch a picture."""
        return self.http.get(url, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def _headers(self, more: Any) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.sandbox.api_key}", **(more or {})}


OpenSandbox = Callable[..., SandboxClient]
