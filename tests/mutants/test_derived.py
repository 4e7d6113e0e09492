"""Each example of the table finds the faults that are derived from it; the table of wrong code is up to date."""

import judge
import pytest
from mutants.derived import MAY_DO_EITHER, run_relation
from mutants.wrong_code import CODE, ROOT, WRONG_CODE
from seedream_testing.contract import RELATIONS, Relation


@pytest.mark.parametrize("relation", RELATIONS, ids=lambda relation: relation.id)
def test_every_example_finds_its_own_fault(relation: Relation) -> None:
    done = run_relation(relation, judge.FACTS)
    if relation.id in MAY_DO_EITHER:
        assert len(done["idle"]) < done["planted"] // 2 + 1
    else:
        assert done["idle"] == []


def test_the_texts_that_wrong_code_changes_are_in_the_code() -> None:
    """`make mutants` runs the tests against each; here only that the table is up to date."""
    gone = [one.name for one in WRONG_CODE if one.old not in (ROOT / CODE / one.file).read_text("utf-8")]
    assert gone == []
