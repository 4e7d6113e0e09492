"""What the service says about a request: at its arrival, and in the end."""

from typing import Final

from attrs import field, frozen
from tensorslab_images.limits import DELETE, QUERY, SUBMIT, Operation

from seedream_sandbox.fault import Fault
from seedream_sandbox.fault_catalogue import Layer, Scope
from seedream_sandbox.http import Request, Response

OPERATIONS: Final[dict[str, tuple[Scope, Operation]]] = {
    SUBMIT.path: ("submit", SUBMIT),
    QUERY.path: ("query", QUERY),
    DELETE.path: ("delete", DELETE),
}


@frozen
class Answer:
    """What goes out, and how: the reply, and the faults of the layers pace and delivery that carry it."""

    response: Response
    faults: tuple[Fault, ...] = ()

    def of(self, layer: Layer) -> Fault | None:
        """The fault of a layer, if one struck."""
        return next((fault for fault in self.faults if fault.kind.layer == layer), None)


@frozen
class Arrival:
    """What is decided before a request's body is read.

    Attributes:
        scope: The place where a fault would meet it.
        ordinal: Its number there, from 1.
        fault: The fault of the layer ``arrival`` that struck.
        asked: Faults that its header asks for.
        wrong: What is wrong with that header; empty when nothing is.
    """

    scope: Scope
    ordinal: int
    fault: Fault | None = None
    asked: tuple[Fault, ...] = field(factory=tuple)
    wrong: str = ""


def scope_of(request: Request) -> Scope:
    """The place where a fault would meet the request."""
    if request.images:
        return "picture"
    return OPERATIONS.get(request.path, ("any", SUBMIT))[0]
