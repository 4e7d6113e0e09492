"""What the service decides about a request: when its head has arrived, and in the end."""

from typing import Final

from attrs import field, frozen
from tensorslab_images.limits import DELETE, QUERY, SUBMIT, Operation

from seedream_sandbox.faults.catalogue import Layer, Scope
from seedream_sandbox.faults.language import Fault
from seedream_sandbox.http import Request, Response

OPERATIONS: Final[dict[str, tuple[Scope, Operation]]] = {
    SUBMIT.path: ("submit", SUBMIT),
    QUERY.path: ("query", QUERY),
    DELETE.path: ("delete", DELETE),
}


@frozen
class HandledRequest:
    """What goes out and how: the reply, and the faults of the layers pace and delivery that carry it."""

    response: Response
    faults: tuple[Fault, ...] = ()

    def fault(self, layer: Layer) -> Fault | None:
        """Return the fault of a layer, if there is one."""
        return next((fault for fault in self.faults if fault.kind.layer == layer), None)


@frozen
class IncomingRequest:
    """What is decided before a request's body is read."""

    scope: Scope  # which faults may act on it
    ordinal: int  # its number in that scope, from 1
    fault: Fault | None = None  # the fault of the layer ``arrival`` that acts on it
    requested: tuple[Fault, ...] = field(factory=tuple)  # faults that its header asks for
    header_error: str = ""  # what is wrong with that header; empty when nothing is


def scope_of(request: Request) -> Scope:
    """Return the scope of a request."""
    if request.images:
        return "picture"
    return OPERATIONS.get(request.path, ("any", SUBMIT))[0]
