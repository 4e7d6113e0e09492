"""What is compared: one row of the table for each piece of work, over http or https, near or far."""

from itertools import product

from attrs import frozen

MIB = 2**20
CLIENTS = ("seedream", "httpx", "generated", "openai", "fal", "ark", "replicate")
SDKS = ("openai", "fal", "ark", "replicate")


@frozen
class Peer:
    """A client that is measured: the module of its worker, the module that its users import, its environment."""

    worker: str
    module: str
    environment: str


PEERS = {
    "seedream": Peer("seedream_client", "seedream", "core"),
    "httpx": Peer("httpx_raw", "httpx", "core"),
    "generated": Peer("generated_client", "tensorslab_images.api.images.see_dream_v45", "core"),
    "openai": Peer("openai_client", "openai", "openai"),
    "fal": Peer("fal", "fal_client", "fal"),
    "ark": Peer("ark", "volcenginesdkarkruntime", "ark"),
    "replicate": Peer("replicate_client", "replicate", "replicate"),
    "floor": Peer("bare_sockets", "socket", "core"),
}


@frozen
class Row:
    """One row.

    Attributes:
        id: Its name on the command line.
        title: Its name in the table.
        work: The work of every client measured, see the workers.
        calls: How many calls one measurement makes.
        scheme: ``http`` or ``https``.
        distance: The length of a round trip in milliseconds; 0 is loopback itself.
        clients: Who is measured.
        images: How many pictures the task has that is asked for or saved, and
        size: how large each is, in bytes.
        upload: How many files of 8 MiB are sent.
        reference: What the ratios divide by: a client, or another work of the same client.
        goals: The largest acceptable ratio of CPU time ("cpu"), wall time ("wall"); most memory ("peak", in MiB).
        options: Arguments of this project's client.
    """

    id: str
    title: str
    work: str
    calls: int
    scheme: str = "http"
    distance: int = 0
    clients: tuple[str, ...] = CLIENTS
    images: int = 1
    size: int = 65536
    upload: int = 0
    reference: str = "httpx"
    goals: tuple[tuple[str, float], ...] = ()
    options: tuple[tuple[str, float], ...] = ()

    @property
    def taskid(self) -> str:
        """The id of a task that the server answers for like this."""
        return f"t0-{self.images}-{self.size}"


OWN = ("seedream", "httpx")
FLOOR = "floor"  # no client, see the worker; it has no column, but is shown beside the goal
WITH_FLOOR = (*CLIENTS, FLOOR)


def _each(work: str, title: str, near: int, far: int, goals: dict[str, float]) -> list[Row]:
    """Return a row for each scheme and distance; ``goals`` are CPU ratios by scheme, near."""
    made = []
    for distance, scheme in product((0, 100), ("http", "https")):
        place = f"{scheme}, 100 ms away" if distance else scheme
        goal: dict[str, float] = {}
        if not distance and scheme in goals:
            goal["cpu"] = goals[scheme]
        calls = far if distance else near
        made.append(
            Row(
                f"{work.replace('_', '-')}/{scheme}/{distance}", f"{title}, {place}", work, calls, scheme, distance,
                goals=tuple(goal.items()),
            )
        )  # fmt: skip
    return made


ROWS = (
    *_each("submit", "submit, sync", 60, 3, {"http": 0.8}),
    Row(
        "submit-kept/http/0", "submit, sync, http, kept connections allowed", "submit", 60, clients=OWN,
        goals=(("cpu", 0.5),), options=(("reuse", 4.0),),
    ),
    Row(
        "submit-kept/https/100", "submit, sync, https, 100 ms away, kept connections allowed", "submit", 3, "https",
        100, clients=OWN, options=(("reuse", 4.0),),
    ),
    *_each("submit_async", "submit, async", 60, 3, {}),
    *_each("query", "query, sync", 100, 3, {"http": 0.75, "https": 0.9}),
    *_each("query_async", "query, async", 100, 3, {}),
    *_each("wave", "submit, async, 64 at once", 64, 64, {"http": 0.4}),
    Row("upload/http/0", "upload of 10 x 8 MiB, sync, http", "upload", 2, clients=WITH_FLOOR, upload=10,
        goals=(("cpu", 0.7), ("peak", 8))),
    Row("upload-async/http/0", "upload of 10 x 8 MiB, async, http", "upload_async", 2, clients=WITH_FLOOR,
        upload=10, goals=(("cpu", 0.45), ("peak", 8))),
    Row("upload/https/0", "upload of 10 x 8 MiB, sync, https", "upload", 2, "https", upload=10),
    Row("upload-async/https/0", "upload of 10 x 8 MiB, async, https", "upload_async", 2, "https", upload=10),
    Row("pictures/http/0", "15 pictures of 12 MiB, sync, http", "pictures", 1, clients=(*OWN, FLOOR), images=15,
        size=12 * MIB, goals=(("wall", 1.0),)),
    Row("pictures-async/http/0", "15 pictures of 12 MiB, async, http", "pictures_async", 1, clients=(*OWN, FLOOR),
        images=15, size=12 * MIB, goals=(("wall", 0.6),)),
    Row("pictures/https/0", "15 pictures of 12 MiB, sync, https", "pictures", 1, "https", clients=OWN, images=15,
        size=12 * MIB),
    Row("pictures-async/https/0", "15 pictures of 12 MiB, async, https", "pictures_async", 1, "https", clients=OWN,
        images=15, size=12 * MIB),
    Row("pictures/https/100", "15 pictures of 1 MiB, sync, https, 100 ms away", "pictures", 1, "https", 100,
        clients=OWN, images=15, size=MIB),
    Row("pictures-async/https/100", "15 pictures of 1 MiB, async, https, 100 ms away", "pictures_async", 1, "https",
        100, clients=OWN, images=15, size=MIB),
    Row("import", "import", "import", 1, goals=(("cpu", 1.1),)),
    Row("start/http/0", "process start to first task, http", "start", 1, goals=(("cpu", 1.0),)),
    Row("bulk/http/0", "bulk run with its journal", "bulk", 200,
        clients=("seedream",), reference="loop", goals=(("wall", 1.1),)),
    Row("bulk/http/100", "bulk run with its journal, 100 ms away", "bulk", 80, distance=100,
        clients=("seedream",), reference="loop", goals=(("wall", 1.1),)),
)  # fmt: skip
"""Every row, in the order of the table."""

COUNTED = (
    Row("connections/query", "connections for 20 queries, sync", "query", 20, goals=(("connections", 1),)),
    Row("connections/query-async", "connections for 20 queries, async", "query_async", 20, goals=(("connections", 1),)),
    Row("connections/pictures", "connections for one task's 15 pictures, sync", "pictures", 1, clients=OWN, images=15,
        goals=(("connections", 5),)),
    Row("connections/pictures-async", "connections for one task's 15 pictures, async", "pictures_async", 1, clients=OWN,
        images=15, goals=(("connections", 5),)),
    Row("connections/submit", "connections for 20 submissions, sync", "submit", 20),
    Row("growth/bulk", "memory between 200 and 2,000 jobs of a bulk run, MiB", "bulk", 2000, clients=("seedream",),
        goals=(("growth", 24),)),
)  # fmt: skip
"""Rows that count what the server saw in one measurement, or what the client says of itself: no ratio."""
