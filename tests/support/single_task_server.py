"""A service just big enough for one task: it accepts, tells the states it was given, and serves small pictures."""

import json

from support.pictures import picture
from support.scripted_server import Action, Connection, ScriptedServer, reply

TASK = "abcd_1"


def png() -> bytes:
    """Return the picture that it serves."""
    return picture(size=(4, 3))


def answer(**data: object) -> Action:
    return reply(200, json.dumps({"code": 1000, "msg": "", "data": {"taskid": TASK, **data}}).encode())


class SingleTaskServer(ScriptedServer):
    """Accepts, tells the states in order (then the last again), and serves the pictures that are there."""

    def __init__(self, *states: dict[str, object], pictures: int = 1) -> None:
        self._states = list(states)
        self._there = pictures
        super().__init__(self._act_by_path)

    def _act_by_path(self, connection: Connection) -> None:
        path = connection.read_request().split(b" ")[1].decode()
        if path.endswith("/seedreamv45"):
            action = answer()
        elif path.endswith("/infobytaskid"):
            state = self._states.pop(0) if len(self._states) > 1 else self._states[0]
            action = answer(**state)
        else:
            action = reply(200, png()) if int(path[1]) <= self._there else reply(404)
        # The request is read already: give the action its bytes again.
        action(Again(connection))

    def done(self, pictures: int = 1) -> dict[str, object]:
        return {"image_status": 3, "url": [f"{self.url}/{number}.png?sig=SECRET" for number in range(1, pictures + 1)]}

    def then(self, *states: dict[str, object]) -> "SingleTaskServer":
        self._states = [*self._states, *states]
        return self

    def paths(self) -> list[str]:
        return [request.split(b" ")[1].decode().partition("?")[0].rpartition("/")[2] for request in self.requests]


class Again(Connection):
    """A connection whose request has been read."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection.sock, connection.stop)

    def read_request(self) -> bytes:
        return b""
