"""A newcomer's day: the wheel, what the documents say, a notebook, a web application, terminals and pages."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest
from documents.blocks import ROOT, blocks
from rich.cells import cell_len
from seedream_sandbox import Sandbox
from support.commands import run

FOLDERS = ("seedream", "seedream_sandbox", "seedream_testing", "tensorslab_images")


def test_the_environment_holds_the_wheel_and_not_the_clone(reader: Path, tmp_path: Path) -> None:
    code = f"import {', '.join(FOLDERS)}; print(*(m.__file__ for m in ({', '.join(FOLDERS)},)))"
    for place in run([str(reader), "-c", code], cwd=tmp_path).split():
        assert not place.startswith(str(ROOT / "overlay")), place
        assert "site-packages" in place


@pytest.mark.timeout(1800)
def test_every_block_of_every_document_works_there(reader: Path) -> None:
    run(
        [sys.executable, "-m", "pytest", "-q", "tests/documents/test_blocks.py"],
        cwd=ROOT,
        env={**os.environ, "DOCUMENTS_PYTHON": str(reader)},
    )


def _code_cell(text: str) -> dict[str, object]:
    cell: dict[str, object] = {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": text,
    }
    return {"id": f"cell-{abs(hash(text)):x}", **cell}


def test_a_notebook_runs_and_shows_what_it_made(reader: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run([str(reader), "-m", "ipykernel", "install", "--prefix", str(tmp_path), "--name", "newcomer"])
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share" / "jupyter"))
    (first, _, resolution) = [block.text for block in blocks(ROOT / "README.md") if block.language == "python"]
    waiting = "task = await AsyncSeeDream().submit('a boat')\nfiles = await task.save('pictures')\nprint(files)"
    cells = [first, resolution, f"from seedream import AsyncSeeDream\n{waiting}", "result"]
    notebook = nbformat.from_dict(  # type: ignore[no-untyped-call]  # nbformat has no types
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [_code_cell(text) for text in cells]}
    )
    with Sandbox(progress="instant", pictures="plain") as sandbox:
        monkeypatch.setenv("TENSORSLAB_API_KEY", sandbox.api_key)
        monkeypatch.setenv("TENSORSLAB_BASE_URL", sandbox.base_url)
        resources = {"metadata": {"path": str(tmp_path)}}
        nbclient.NotebookClient(notebook, kernel_name="newcomer", timeout=120, resources=resources).execute()
        assert [2, 1] == [charge.images for charge in sandbox.charges]
    printed = [output.get("text", "") for cell in notebook.cells for output in cell.outputs]
    assert "nearest 16:9 is 2560x1440" in "".join(printed)
    assert notebook.cells[-1].outputs, "a result shows itself"


def test_the_web_application_of_the_faq_answers(reader: Path, tmp_path: Path) -> None:
    (application,) = [block.text for block in blocks(ROOT / "docs" / "faq.md") if "FastAPI(" in block.text]
    (tmp_path / "application.py").write_text(application)
    code = (
        "from fastapi.testclient import TestClient\nfrom application import app\n"
        "with TestClient(app) as web:\n"
        "    task = web.post('/pictures', params={'prompt': 'a boat'}).json()['task']\n"
        "    print(web.get(f'/pictures/{task}').json()['state'], web.post('/pictures?prompt=').status_code)\n"
    )
    with Sandbox(progress="instant") as sandbox:
        reach = {"TENSORSLAB_API_KEY": sandbox.api_key, "TENSORSLAB_BASE_URL": sandbox.base_url}
        assert "completed 422" == run([str(reader), "-c", code], cwd=tmp_path, env={**os.environ, **reach}).strip()


@pytest.mark.skipif(shutil.which("tmux") is None, reason="there is no tmux here")
@pytest.mark.parametrize("columns", [80, 40])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_terminals_show_everything(reader: Path, output: Path, tmp_path: Path, columns: int, language: str) -> None:
    """What a terminal shows is written to build/newcomer, to be looked at; nothing is cut or a traceback."""
    (tmp_path / "jobs.csv").write_text("prompt,batchsize\na boat,2\na lighthouse,1\n")
    commands = {
        "help": "seedream --help",
        "generate-help": "seedream generate --help",
        "generate": "seedream generate 'a boat' -n 2 --sandbox -o out",
        "refused": "seedream generate 'a boat' -r 1920x1080 -n 99",
        "usage": "seedream generate 'a boat' --size 2K",
        "check": "seedream check 16:9 2k 1500x1500",
        "explain": "seedream explain RES-PIXELS",
        "bulk": "seedream bulk run jobs.csv -o run --sandbox; seedream bulk status run",
        "demo": "seedream demo -o demo",
    }
    for name, command in commands.items():
        shown = in_tmux(command, reader, tmp_path, columns, language)
        (output / f"{name}-{columns}-{language}.txt").write_text(shown, "utf-8")
        assert "Traceback" not in shown, name
        assert shown.strip(), name
        assert max(map(cell_len, shown.splitlines())) <= columns
        if language == "zh":
            assert re.search(r"[\u4e00-\u9fff]", shown), name


def in_tmux(command: str, reader: Path, folder: Path, columns: int, language: str) -> str:
    """Run a command in a terminal of so many columns; return all that it shows at the end."""
    work = Path(tempfile.mkdtemp(prefix="tmux-"))  # a server of its own; the path of a socket must be short
    socket, done = work / "socket", work / "done"
    tmux = ["tmux", "-u", "-f", "/dev/null", "-S", str(socket)]
    environment = {
        **os.environ,
        "PATH": f"{reader.parent}{os.pathsep}{os.environ['PATH']}",
        "SEEDREAM_LANG": language,
        "SEEDREAM_STATE_DIR": str(folder / "state"),
        "LC_ALL": "C.UTF-8",
        "PS1": "",
    }
    script = f"cd {folder}; {command}; touch {done}; sleep 60"
    size = ["-x", str(columns), "-y", "200"]
    subprocess.run([*tmux, "new-session", "-d", *size, "sh", "-c", script], check=True, env=environment)
    try:
        deadline = time.monotonic() + 120
        while not done.exists():
            assert time.monotonic() < deadline, command
            time.sleep(0.05)
        return subprocess.run(
            [*tmux, "capture-pane", "-p", "-t", "0"], check=True, capture_output=True, text=True
        ).stdout.rstrip()
    finally:
        subprocess.run([*tmux, "kill-server"], check=False)
        shutil.rmtree(work, ignore_errors=True)


def test_pages_in_a_browser(output: Path, tmp_path: Path) -> None:
    """The sandbox's page and a gallery, on a desk and on a phone, in both languages: to be looked at."""
    demo_traffic = pytest.importorskip("sandbox.demo_traffic")
    if demo_traffic.chromium() is None:
        pytest.skip("there is no Chromium here (Debian: apt-get install chromium)")
    (tmp_path / "jobs.jsonl").write_text("\n".join(json.dumps({"prompt": f"a boat {n}"}) for n in range(4)))
    command = [sys.executable, "-m", "seedream", "bulk", "run", "jobs.jsonl", "-o", "run", "--sandbox"]
    run(command, cwd=tmp_path)
    with Sandbox() as sandbox, demo_traffic.browser() as browser:
        reach = {"TENSORSLAB_API_KEY": sandbox.api_key, "TENSORSLAB_BASE_URL": sandbox.base_url}
        words = [sys.executable, "-m", "seedream", "generate", "a lighthouse at dawn", "-n", "3"]
        run(words, cwd=tmp_path, env={**os.environ, **reach, "SEEDREAM_STATE_DIR": str(tmp_path)})
        pages = {"inspector": sandbox.base_url, "gallery": (tmp_path / "run" / "gallery.html").as_uri()}
        for name, address in pages.items():
            for width in (1280, 390):
                for language in ("en", "zh-CN"):
                    page: Any = browser.new_page(locale=language, viewport={"width": width, "height": 900})
                    page.goto(address)
                    page.wait_for_timeout(1000)
                    page.screenshot(path=output / f"{name}-{width}-{language}.png", full_page=True)
                    wide = page.evaluate("document.documentElement.scrollWidth")
                    assert wide <= width, f"{name} at {width} pixels is {wide} wide"
                    page.close()
