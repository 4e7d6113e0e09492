"""Jobs files: every line is checked before the first submission, and every problem names its line."""

from pathlib import Path

import facts
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seedream.bulk import read_jobs
from seedream.errors import InvalidRequest


def told(path: Path, text: str | bytes) -> list[str]:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(InvalidRequest) as caught:
        read_jobs(path)
    return [f"{problem.field}: {problem.message}" for problem in caught.value.problems]


def test_all_problems_of_all_lines(tmp_path: Path) -> None:
    problems = told(
        tmp_path / "jobs.jsonl",
        '{"prompt": "good", "id": "a"}\n'
        f'{{"prompt": "", "resolution": "1500x1500", "n": {facts.LARGEST + 1}}}\n'
        "\n"
        "not JSON\n"
        '["a list"]\n'
        '{"prompt": "x", "prompt": "y"}\n'
        '{"prompt": "x", "promt": "typo"}\n'
        '{"prompt": "x", "n": 1, "batchsize": 2}\n'
        '{"prompt": "x", "id": "a"}\n'
        '{"prompt": "x", "id": "  "}\n'
        '{"prompt": "x", "images": "missing.png"}\n'
        '{"prompt": "x", "n": NaN}\n',
    )
    starts = [
        "line 2, prompt: empty",
        "line 2, resolution: ",
        "line 2, batchsize: ",
        "line 4, JSON: Expecting value",
        "line 5, JSON: a list",
        "line 6, JSON: prompt given twice",
        "line 7, promt: there is no such column",
        "line 8, batchsize: batchsize is given twice",
        "line 9, id: “a” is line 1's already",
        "line 10, id: ",
        "line 11, source_images: cannot read",
        "line 12, JSON: NaN is no JSON",
    ]
    assert len(problems) == len(starts)
    for start in starts:
        assert any(one.startswith(start) for one in problems), (start, problems)


def test_csv_says_the_same(tmp_path: Path) -> None:
    good = tmp_path / "jobs.csv"
    good.write_text(
        '\ufeffid,prompt,n,resolution\nx1,"a cat, sleeping\non a mat",2,16:9\n\n,plain,,\n', encoding="utf-8"
    )
    planned = read_jobs(good)
    assert (planned.plans[0].key, planned.plans[0].cost) == ("x1", 2)
    assert [plan.line for plan in planned.plans] == [2, 5]
    assert planned.plans[0].request == {"prompt": "a cat, sleeping\non a mat", "batchsize": 2, "resolution": "16:9"}
    assert planned.images == 2 + facts.DEFAULTS["batchsize"]


def test_csv_problems(tmp_path: Path) -> None:
    problems = told(tmp_path / "jobs.csv", "prompt,n\nx,two\nx,99\nx,1,extra\n,1\n")
    assert [one.split(":")[0] for one in problems] == [
        "line 2, n",
        "line 3, batchsize",
        "line 4, cells",
        "line 5, prompt",
    ]
    assert told(tmp_path / "jobs.csv", "prompt,prompt\nx,y\n")[0].startswith("line 1, header")
    assert told(tmp_path / "jobs.csv", 'prompt\n"open\n')[0].startswith("line 2, CSV")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("jobs.txt", "x", "unknown kind (.txt)"),
        ("jobs", "x", "unknown kind (no ending)"),
        ("jobs.jsonl", b"\xff\xfe", "not UTF-8"),
        ("jobs.csv", b"prompt\n\xff", "not UTF-8"),
        ("jobs.jsonl", "", "there are none"),
        ("jobs.csv", "prompt\n", "there are none"),
    ],
)
def test_files_that_are_none(tmp_path: Path, name: str, content: str | bytes, message: str) -> None:
    (problem,) = told(tmp_path / name, content)
    assert message in problem


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="No such file"):
        read_jobs(tmp_path / "jobs.jsonl")


def test_paths_are_from_the_file_s_folder_and_urls_stay(tmp_path: Path) -> None:
    from chaos.service import picture  # noqa: PLC0415 -- a picture's bytes, needed here alone

    (tmp_path / "a.png").write_bytes(picture("a", 0))
    path = tmp_path / "jobs.csv"
    path.write_text("prompt,images\nx,a.png; a.png\ny,https://example.com/b.png\n")
    first, second = read_jobs(path).plans
    assert first.request["source_images"] == [str(tmp_path / "a.png")] * 2
    assert second.request["source_images"] == ["https://example.com/b.png"]


def test_wire_names_are_names_too() -> None:
    (plan,) = read_jobs([{"prompt": "x", "imageUrl": "https://example.com/a.png"}]).plans
    assert plan.request == {"prompt": "x", "image_url": "https://example.com/a.png"}


@pytest.mark.parametrize("value", [5, True, ["a", 5], {"a": 1}])
def test_source_images_of_a_wrong_type(value: object) -> None:
    with pytest.raises(InvalidRequest, match="not a path or a list of paths"):
        read_jobs([{"prompt": "x", "images": value}])


@given(st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=6))
def test_keys_without_ids_are_the_same_each_time_and_unique(prompts: list[str]) -> None:
    # Running a file again must find its own jobs: keys follow from the requests and their order alone.
    rows = [{"prompt": prompt} for prompt in prompts]
    keys = [plan.key for plan in read_jobs(rows).plans]
    assert keys == [plan.key for plan in read_jobs(rows).plans]
    assert len(set(keys)) == len(keys)
    longer = [plan.key for plan in read_jobs([*rows, {"prompt": "c"}]).plans]
    assert longer[:-1] == keys
