"""The tables: on the terminal row by row, and as docs/performance.md."""

import os
import sys
from datetime import UTC, datetime

from attrs import Factory, mutable

from benchmarks.measure import Measured, Quartiles
from benchmarks.rows import CLIENTS, FLOOR, MIB, Row
from benchmarks.services import ROOT

PAGE = ROOT / "benchmarks" / "performance.md"
RowResults = dict[str, Measured]


@mutable
class Results:
    """What one run measured."""

    rows: dict[Row, RowResults] = Factory(dict)
    counted: dict[Row, RowResults] = Factory(dict)
    reuse: list[tuple[float, str, dict[str, int]]] = Factory(list)


def _ratio(value: Quartiles | None) -> str:
    return f"{value.median:.2f} ({value.low:.2f}-{value.high:.2f})" if value else "-"


def _cell(row: Row, measured: RowResults, client: str, part: str) -> str:
    own = measured.get(client)
    return _ratio(own.ratios(measured[row.reference], part)) if own else "-"


def line(row: Row, measured: RowResults) -> str:
    """Return one row for the terminal."""
    parts = [f"{row.title}"]
    for client, own in measured.items():
        if client == row.reference:
            wall, cpu = own.median("wall"), own.median("cpu")
            parts.append(
                f"  {client:10} {1000 * cpu / row.calls:9.2f} ms CPU, {1000 * wall / row.calls:9.2f} ms a call: 1"
            )
        elif own.skipped:
            parts.append(f"  {client:10} - ({own.skipped})")
        else:
            cells = [f"{part} {_cell(row, measured, client, part)}" for part in ("cpu", "wall")]
            parts.append(f"  {client:10} {'   '.join(cells)}" + _memory(row, own))
    return "\n".join(parts)


def _memory(row: Row, own: Measured) -> str:
    return f"   memory +{own.median('peak') / MIB:.1f} MiB" if row.upload else ""


def count_line(row: Row, counted: RowResults) -> str:
    """Return one row of counts for the terminal."""
    cells = [f"{name} {_count(row, own)}" for name, own in counted.items()]
    return f"{row.title}: {', '.join(cells)}"


def _count(row: Row, own: Measured | None) -> str:
    part = row.goals[0][0] if row.goals else "connections"
    return f"{own.samples[0][part]:.0f}" if own and own.samples else "-"


def reuse_table(cells: list[tuple[float, str, dict[str, int]]]) -> str:
    """Return the share of submissions that ended ambiguously, by the server's idle time and the client's setting."""
    settings = list(dict.fromkeys(title for _, title, _ in cells))
    lines = [_table_line(["server closes after", *settings]), _table_line(["---"] + ["---:"] * len(settings))]
    for idle in sorted({idle for idle, _, _ in cells}):
        shares = {title: details for own, title, details in cells if own == idle}
        lines.append(_table_line([f"{idle:g} s idle", *(_share(shares.get(title)) for title in settings)]))
    return "\n".join(lines)


def _share(details: dict[str, int] | None) -> str:
    if not details:
        return "-"
    ambiguous, count = details["ambiguous"], details["submissions"]
    return f"{100 * ambiguous / count:.1f} % ({ambiguous} of {count})"


def _table_line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _goal_values(row: Row, own: Measured, reference: Measured) -> dict[str, float | None]:
    values: dict[str, float | None] = {}
    for part, _ in row.goals:
        if part in {"cpu", "wall"}:
            ratio = own.ratios(reference, part)
            values[part] = round(ratio.median, 2) if ratio else None
        elif part == "peak":
            values[part] = own.median("peak") / MIB if own.samples else None
        else:
            values[part] = own.samples[0][part] if own.samples else None
    return values


def missed(results: Results) -> list[str]:
    """Return the goals that this client misses, each in a sentence."""
    found = []
    for row, measured in {**results.rows, **results.counted}.items():
        own = measured.get("seedream")
        if own is None or not row.goals:
            continue
        values = _goal_values(row, own, measured.get(row.reference, own))
        for part, goal in row.goals:
            value = values[part]
            if value is None:
                found.append(f"goal not measured: {row.title}: {own.skipped}")
            elif value > goal:
                found.append(f"goal missed: {row.title}: {part} {value:.2f}, goal {goal:g}")
    return found


def _goal(row: Row) -> str:
    return ", ".join(f"{part} <= {goal:g}" for part, goal in row.goals)


def page(results: Results) -> str:
    """Return the whole of docs/performance.md: the text of ``benchmarks/performance.md`` with the tables in it."""
    others = [client for client in CLIENTS if client != "httpx"]
    tables = {}
    for part in ("cpu", "wall"):
        lines = [
            _table_line(["work", *others, f"httpx, ms {part}", "goal"]),
            _table_line(["---"] + ["---:"] * (len(others) + 1) + ["---"]),
        ]
        for row, measured in results.rows.items():
            if row.reference != "httpx":
                continue
            base = f"{1000 * measured[row.reference].median(part) / row.calls:.2f}"
            goals = [f"<= {most:g}" for name, most in row.goals if name == part]
            if FLOOR in measured and measured[FLOOR].samples:
                goals.append(f"floor {_cell(row, measured, FLOOR, part)}")
            goal = ", ".join(goals)
            lines.append(
                _table_line([row.title, *(_cell(row, measured, client, part) for client in others), base, goal])
            )
        tables[part] = "\n".join(lines)
    lines = [_table_line(["work", *CLIENTS, "goal"]), _table_line(["---"] + ["---:"] * len(CLIENTS) + ["---"])]
    for row, measured in results.rows.items():
        if row.upload:
            cells = [
                f"+{own.median('peak') / MIB:.1f}" if (own := measured.get(name)) and own.samples else "-"
                for name in CLIENTS
            ]
            goal = ", ".join(f"<= +{most:g}" for name, most in row.goals if name == "peak")
            lines.append(_table_line([row.title, *cells, goal]))
    tables["memory"] = "\n".join(lines)
    lines = [_table_line(["work", *CLIENTS, "goal"]), _table_line(["---"] + ["---:"] * len(CLIENTS) + ["---"])]
    for row, counted in results.counted.items():
        goal = ", ".join(f"<= {most:g}" for _, most in row.goals)
        lines.append(_table_line([row.title, *(_count(row, counted.get(name)) for name in CLIENTS), goal]))
    tables["connections"] = "\n".join(lines)
    tables["bulk"] = "\n".join(
        f"- {row.title}: CPU {_cell(row, measured, 'seedream', 'cpu')}, "
        f"wall {_cell(row, measured, 'seedream', 'wall')} (goal: {_goal(row)})"
        for row, measured in results.rows.items()
        if row.reference != "httpx"
    )
    tables["reuse"] = reuse_table(results.reuse)
    tables["missed"] = "\n".join(f"- {sentence}" for sentence in missed(results)) or "None."
    day = datetime.now(UTC).date().isoformat()
    tables["machine"] = f"{day}, Python {sys.version.split()[0]}, {os.cpu_count()} cores, {sys.platform}"
    text = PAGE.read_text("utf-8")
    for name, table in tables.items():
        text = text.replace(f"<!-- {name} -->", table)
    return text
