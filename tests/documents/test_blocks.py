"""Every fenced block of every document works as it is written, in the order of the document.

`make newcomer` runs the same in an environment that holds nothing but the wheel: DOCUMENTS_PYTHON names its Python.
"""

import os
import shutil
import sys
from pathlib import Path

import pytest
from documents.blocks import DOCUMENTS, LANGUAGES, OWN_KEYS, blocks, run_block, session
from seedream_sandbox import Sandbox

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(os.name == "nt" or shutil.which("bash") is None, reason="the blocks are for a POSIX shell"),
]


def test_there_are_documents_and_blocks() -> None:
    assert len(DOCUMENTS) > 9
    assert len([block for document in DOCUMENTS for block in blocks(document)]) > 40


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_block_has_a_language(document: Path) -> None:
    assert [] == [str(block) for block in blocks(document) if block.language not in LANGUAGES]


@pytest.mark.parametrize("document", [one for one in DOCUMENTS if blocks(one)], ids=lambda path: path.name)
def test_every_block_works(document: Path, tmp_path: Path) -> None:
    python = os.environ.get("DOCUMENTS_PYTHON", sys.executable)
    with (
        Sandbox(seed=0) as sandbox,
        Sandbox(keys=OWN_KEYS, credits=1_000_000) as own,
        session(tmp_path, python, sandbox.base_url, own.base_url) as reader,
    ):
        for block in blocks(document):
            run_block(block, reader)
