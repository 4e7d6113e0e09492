"""Runs workflows: run_sync blocks, run_async awaits; see parallel.py for several at once."""

from typing import Any, TypeVar, cast

from seedream._protocol.effects import IO, AsyncIO, InParallel, Workflow

T = TypeVar("T")


def run_sync(workflow: Workflow[T], io: IO) -> T:
    """Run a workflow to its end. Exceptions of an effect are thrown into it, so that it can clean up."""
    try:
        effect = next(workflow)
        while True:
            try:
                if isinstance(effect, InParallel):
                    from seedream._protocol.parallel import run_threads  # noqa: PLC0415 -- for downloads only

                    result: Any = run_threads(effect.workflows, effect.limit, io, run_sync)
                else:
                    result = io.perform(effect)
            except BaseException as error:  # noqa: BLE001 -- Ctrl-C too: the workflow records it and raises it again
                effect = workflow.throw(error)
            else:
                effect = workflow.send(result)
    except StopIteration as end:
        return cast("T", end.value)


async def run_async(workflow: Workflow[T], io: AsyncIO) -> T:
    """Run a workflow to its end, awaiting its effects. See ``run_sync``."""
    try:
        effect = next(workflow)
        while True:
            try:
                if isinstance(effect, InParallel):
                    from seedream._protocol.parallel import run_tasks  # noqa: PLC0415 -- for downloads only

                    result: Any = await run_tasks(effect.workflows, effect.limit, io, run_async)
                else:
                    result = await io.perform(effect)
            except BaseException as error:  # noqa: BLE001 -- cancellation too
                effect = workflow.throw(error)
            else:
                effect = workflow.send(result)
    except StopIteration as end:
        return cast("T", end.value)
