"""Whatever a page holds, a run ends in 0, 3 or 4 within bounded time: never in a traceback."""

import os
import time

import pytest
from page_edits import RepositoryCopy
from page_fuzzer import fuzzed

# Seeds that once ended in a traceback come first.
# The long form is `PIPELINE_FUZZ=1000 pytest tests/pipeline/test_fuzzed.py`.
FOUND = [298]
COUNT = int(os.environ.get("PIPELINE_FUZZ", "25"))


@pytest.mark.parametrize("accept", [False, True])
def test_a_fuzzed_page_is_taken_stopped_or_refused(repository: RepositoryCopy, *, accept: bool) -> None:
    before = repository.files()
    for seed in [*FOUND, *range(COUNT)]:
        data, done = fuzzed(seed)
        begun = time.process_time()
        ended = repository.take(data, accept=accept)
        assert ended.code in {0, 3, 4}, (seed, done, ended.text)
        assert ended.code == 0 or not ended.changed, (seed, done)
        assert time.process_time() - begun < 10, (seed, done)
        if ended.changed:
            repository.restore(before)
