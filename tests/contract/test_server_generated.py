"""Schemathesis against the sandbox with our own checks only; and statefully, by links."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import judge
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.stateful import run_state_machine_as_test
from seedream_sandbox import Sandbox
from seedream_testing.contract.schemathesis import CHECKS, accepted_exactly_when_legal, load

HEADERS = {"Authorization": "Bearer sk-good-key-0000"}
STEADY = settings(
    max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
MODES = list(schemathesis.GenerationMode)
PATHS = [judge.FACTS.submit, judge.FACTS.query, judge.FACTS.delete]
Call = Callable[..., Any]


def by_the_judge(ctx: Any, response: Any, case: Any) -> None:
    """A submission is accepted exactly when the hand-written judge says so."""
    accepted_exactly_when_legal(ctx, response, case, judge.FACTS)


OURS: list[Any] = [*CHECKS, by_the_judge]


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    with Sandbox(credits=1_000_000, pictures="plain") as sandbox:
        yield sandbox


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
@pytest.mark.parametrize("path", PATHS)
def test_cases_from_the_spec(served: Sandbox, path: str, mode: schemathesis.GenerationMode) -> None:
    schema = load()
    accepted = Counter[bool]()

    @STEADY
    @given(case=schema[path]["POST"].as_strategy(generation_mode=mode))
    def generated(case: Any) -> None:
        response = case.call_and_validate(headers=HEADERS, checks=OURS, base_url=served.base_url)
        accepted[response.json().get("code") == judge.FACTS.success] += 1

    generated()
    if path == judge.FACTS.submit:  # else the test would test little
        assert accepted[mode is schemathesis.GenerationMode.POSITIVE] >= 10, accepted


@STEADY
@load().parametrize()  # type: ignore[untyped-decorator]  # Schemathesis' own
def test_examples_coverage_and_fuzzing(case: Any, served: Sandbox) -> None:
    # Schemathesis' own phases: each keyword of the schema at its bounds and beyond, one by one; odd methods and types.
    case.call_and_validate(base_url=served.base_url, headers=HEADERS, checks=OURS)


def test_links_lead_from_submission_to_query_and_deletion(served: Sandbox) -> None:
    schema = load()
    schema.config.update(base_url=served.base_url)
    ended = Counter[tuple[str, bool]]()

    class Machine(schema.as_state_machine()):  # type: ignore[misc]  # made by Schemathesis from the spec
        def get_call_kwargs(self, case: Any) -> dict[str, Any]:  # noqa: ARG002 -- Schemathesis' signature
            return {"headers": HEADERS}

        def validate_response(self, response: Any, case: Any, **_: Any) -> None:
            case.validate_response(response, checks=OURS)
            ended[case.path, response.json().get("code") == judge.FACTS.success] += 1

    run_state_machine_as_test(Machine, settings=settings(STEADY, max_examples=30, stateful_step_count=8))
    for path in PATHS:  # only a link knows the id of a task
        assert ended[path, True] >= 3, ended
