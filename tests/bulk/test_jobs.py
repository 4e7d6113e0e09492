"""Jobs files: every line is checked before the first submission, and every problem names its line."""

import codecs
import os
from pathlib import Path
from typing import Any

import facts
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seedream.bulk import read_jobs
from seedream.bulk.jobs_file import REDACTED, request_of
from seedream.errors import InvalidRequest, Problem


def problems_of(path: Path, text: str | bytes) -> list[str]:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(InvalidRequest) as caught:
        read_jobs(path)
    return [f"{problem.field}: {problem.message}" for problem in caught.value.problems]


def test_all_problems_of_all_lines(tmp_path: Path) -> None:
    problems = problems_of(
        tmp_path / "jobs.jsonl",
        '{"prompt": "good", "id": "a"}\n'
        f'{{"prompt": "", "resolution": "1500x1500", "batchsize": {facts.LARGEST + 1}}}\n'
        "\n"
        "not JSON\n"
        '["a list"]\n'
        '{"prompt": "x", "prompt": "y"}\n'
        '{"prompt": "x", "promt": "typo"}\n'
        '{"prompt": "x", "imageUrl": "https://example.com/a.png", "image_url": "https://example.com/b.png"}\n'
        '{"prompt": "x", "id": "a"}\n'
        '{"prompt": "x", "id": "  "}\n'
        '{"prompt": "x", "source_images": "missing.png"}\n'
        '{"prompt": "x", "batchsize": NaN}\n',
    )
    starts = [
        "line 2, prompt: empty",
        "line 2, resolution: ",
        "line 2, batchsize: ",
        "line 4, JSON: Expecting value",
        "line 5, JSON: an object of type list",
        "line 6, JSON: prompt given twice",
        "line 7, promt: there is no such column",
        "line 8, image_url: image_url is given twice",
        "line 9, id: “a” is line 1's already",
        "line 10, id: ",
        "line 11, source_images: cannot read",
        "line 12, JSON: NaN is not JSON",
    ]
    assert len(problems) == len(starts)
    for start in starts:
        assert any(one.startswith(start) for one in problems), (start, problems)


def test_csv_says_the_same(tmp_path: Path) -> None:
    good = tmp_path / "jobs.csv"
    good.write_text(
        '\ufeffid,prompt,batchsize,resolution\nx1,"a cat, sleeping\non a mat",2,16:9\n\n,plain,,\n', encoding="utf-8"
    )
    planned = read_jobs(good)
    assert (planned.plans[0].key, planned.plans[0].cost) == ("x1", 2)
    assert [plan.line for plan in planned.plans] == [2, 5]
    assert planned.plans[0].request == {"prompt": "a cat, sleeping\non a mat", "batchsize": 2, "resolution": "16:9"}
    assert planned.images == 2 + facts.DEFAULTS["batchsize"]


def test_csv_problems(tmp_path: Path) -> None:
    problems = problems_of(tmp_path / "jobs.csv", "prompt,batchsize\nx,two\nx,99\nx,1,extra\n,1\n")
    assert [one.split(":")[0] for one in problems] == [
        "line 2, batchsize",
        "line 3, batchsize",
        "line 4, cells",
        "line 5, prompt",
    ]
    assert problems_of(tmp_path / "jobs.csv", "prompt,prompt\nx,y\n")[0].startswith("line 1, header")
    assert problems_of(tmp_path / "jobs.csv", 'prompt\n"open\n')[0].startswith("line 2, CSV")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("jobs.txt", "x", "unknown kind (.txt)"),
        ("jobs", "x", "unknown kind (no ending)"),
        ("jobs.jsonl", b"\xff", "not UTF-8"),
        ("jobs.csv", b"prompt\n\xff", "not UTF-8"),
        ("jobs.jsonl", "", "there are none"),
        ("jobs.csv", "prompt\n", "there are none"),
    ],
)
def test_files_that_are_none(tmp_path: Path, name: str, content: str | bytes, message: str) -> None:
    (problem,) = problems_of(tmp_path / name, content)
    assert message in problem


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="No such file"):
        read_jobs(tmp_path / "jobs.jsonl")


def test_paths_are_from_the_file_s_folder_and_urls_stay(tmp_path: Path) -> None:
    from chaos.service import picture  # noqa: PLC0415 -- a picture's bytes, needed only here

    (tmp_path / "a.png").write_bytes(picture("a", 0))
    path = tmp_path / "jobs.csv"
    path.write_text("prompt,source_images\nx,a.png; a.png\ny,https://example.com/b.png\n")
    first, second = read_jobs(path).plans
    assert first.request["source_images"] == [str(tmp_path / "a.png")] * 2
    assert second.request["source_images"] == ["https://example.com/b.png"]


def test_wire_names_are_names_too() -> None:
    (plan,) = read_jobs([{"prompt": "x", "imageUrl": "https://example.com/a.png"}]).plans
    assert plan.request == {"prompt": "x", "image_url": "https://example.com/a.png"}


@pytest.mark.parametrize("value", [5, True, ["a", 5], {"a": 1}])
def test_source_images_of_a_wrong_type(value: object) -> None:
    with pytest.raises(InvalidRequest, match="not a path or a list of paths"):
        read_jobs([{"prompt": "x", "source_images": value}])


@given(st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=6))
def test_keys_without_ids_are_the_same_each_time_and_unique(prompts: list[str]) -> None:
    # Running a file again must find its own jobs: keys follow only from the requests and their order.
    rows = [{"prompt": prompt} for prompt in prompts]
    keys = [plan.key for plan in read_jobs(rows).plans]
    assert keys == [plan.key for plan in read_jobs(rows).plans]
    assert len(set(keys)) == len(keys)
    longer = [plan.key for plan in read_jobs([*rows, {"prompt": "c"}]).plans]
    assert longer[:-1] == keys


_SIGNED = st.sampled_from(
    ["https://h.example/a?Signature=1", "http://u:p@h.example/?token=x#f", "Bearer sk-0123456789abcdef", "?key=a&b=c"]
)


@given(st.lists(st.text(max_size=8) | _SIGNED, max_size=4).map(" ".join))
def test_a_prompt_is_kept_as_it_is_whatever_it_looks_like(prompt: str) -> None:
    # Rule: only an address is stripped of its signature; a prompt is text, and a resume sends it from the journal.
    assert request_of({"prompt": prompt, "batchsize": 1}) == {"prompt": prompt, "batchsize": 1}
    url = "https://h.example/a?Signature=1"
    kept = request_of({"prompt": prompt, "image_url": url})
    assert kept == {"prompt": prompt, "image_url": "https://h.example/a?[removed]", REDACTED: ["image_url"]}


# Files as spreadsheet programs and data frames write them.


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_separator_is_the_one_that_the_header_shows(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "jobs.csv"
    path.write_text(f'id{delimiter}prompt{delimiter}batchsize\na{delimiter}"a, b; c"{delimiter}2\n')
    (plan,) = read_jobs(path).plans
    assert (plan.key, plan.request, plan.cost) == ("a", {"prompt": "a, b; c", "batchsize": 2}, 2)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes as POSIX has them")
def test_a_pipe_as_a_jobs_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "jobs.csv")
    with pytest.raises(InvalidRequest, match="not a regular file"):
        read_jobs(tmp_path / "jobs.csv")


def test_the_separator_that_excel_names_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "jobs.csv"
    path.write_text("sep=;\r\nid;prompt\r\na;x\r\n")
    (plan,) = read_jobs(path).plans
    assert (plan.key, plan.line) == ("a", 3)


@pytest.mark.parametrize("cell", ["2", "2.0", " 2 ", "+2", "02"])
def test_whole_numbers_as_they_are_written_elsewhere(tmp_path: Path, cell: str) -> None:
    path = tmp_path / "jobs.csv"
    path.write_text(f"prompt,batchsize\nx,{cell}\n")
    assert read_jobs(path).plans[0].cost == 2


@pytest.mark.parametrize("cell", ["1_0", "2.5", "\uff12", "two", "0x2", "2e0", "1,0"])
def test_a_cell_that_is_not_a_whole_number_is_refused(tmp_path: Path, cell: str) -> None:
    assert problems_of(tmp_path / "jobs.csv", f'prompt,batchsize\nx,"{cell}"\n')[0].startswith("line 2, batchsize: ")


def test_empty_header_cells_at_the_end_are_nothing(tmp_path: Path) -> None:
    path = tmp_path / "jobs.csv"
    path.write_text("prompt,batchsize,,\nx,2,,\ny,1,,\n")
    assert [plan.cost for plan in read_jobs(path).plans] == [2, 1]


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_an_unknown_column_is_reported_once_with_what_was_meant(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"jobs.{suffix}"
    rows = ["promptt,N,seed", *["x,2,1"] * 50] if suffix == "csv" else ['{"promptt": "x", "N": 2, "seed": 1}'] * 50
    path.write_text("\n".join(rows))
    with pytest.raises(InvalidRequest) as caught:
        read_jobs(path)
    hints = {one.field.split(", ")[1]: one.hint for one in caught.value.problems if "no such column" in one.message}
    assert (hints["promptt"], hints["N"], len(hints)) == ("Did you mean prompt?", "Use batchsize.", 3)
    assert "nothing like seed" in hints["seed"]
    assert sum("no such column" in one.message for one in caught.value.problems) == 3


def test_at_most_twenty_problems_and_how_many_more(tmp_path: Path) -> None:
    problems = problems_of(tmp_path / "jobs.csv", "prompt,batchsize\n" + "x,two\n" * 1010)
    assert len(problems) == 21
    assert problems[-1] == "jobs: and 990 more problems"


@pytest.mark.parametrize("jobs", [["a", "b"], ({"prompt": text} for text in "ab"), ("a", {"prompt": "b"})])
def test_prompts_and_mappings_are_jobs(jobs: Any) -> None:
    assert [plan.request["prompt"] for plan in read_jobs(jobs).plans] == ["a", "b"]


def test_one_mapping_is_one_job() -> None:
    assert len(read_jobs({"prompt": "a"}).plans) == 1


class Frame:
    """What a pandas.DataFrame is for us: columns, and records with NaN for what is missing."""

    columns = ("prompt", "batchsize", "resolution")

    def to_dict(self, orient: str) -> list[dict[str, Any]]:
        assert orient == "records"
        return [{"prompt": "a", "batchsize": 2.0, "resolution": float("nan")}]


def test_a_data_frame_is_a_list_of_jobs() -> None:
    jobs: Any = Frame()
    (plan,) = read_jobs(jobs).plans
    assert plan.request == {"prompt": "a", "batchsize": 2}


LIST, ROW = "Give the path of a file, or a list of mappings or prompts.", "Give a mapping of columns, or a prompt."


@pytest.mark.parametrize(
    ("jobs", "problem"),
    [
        (5, Problem("jobs", "“5” is not a list of jobs", hint=LIST)),
        (None, Problem("jobs", "“None” is not a list of jobs", hint=LIST)),
        (b"prompt", Problem("jobs", "“b'prompt'” is not a list of jobs", hint=LIST)),
        (object(), None),
        ([], Problem("jobs", "there are none", hint="Give at least one job with a prompt.")),
        ([5], Problem("job 1, job", "an object of type int is not a job", hint=ROW)),
        (["a", None], Problem("job 2, job", "an object of type NoneType is not a job", hint=ROW)),
        ([["a"]], Problem("job 1, job", "an object of type list is not a job", hint=ROW)),
        (
            [{"id": "x", "prompt": "a"}, {"id": "y", "prompt": "b"}, {"id": "x", "prompt": "c"}],
            Problem("job 3, id", "“x” is line 1's already", hint="Give each job an id of its own."),
        ),
    ],
)
def test_jobs_that_are_not_a_list_of_jobs_are_named(jobs: Any, problem: Problem | None) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_jobs(jobs)
    (found,) = caught.value.problems
    assert problem in (None, found)


def test_a_home_directory_that_is_not_known_is_reported() -> None:
    with pytest.raises(InvalidRequest, match="not a usable path"):
        read_jobs([{"prompt": "x", "source_images": "~nobody-of-that-name/x.png"}])


def test_unrecognised_sources_only_on_request(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"no picture")
    row = {"prompt": "x", "source_images": str(tmp_path / "a.bin")}
    with pytest.raises(InvalidRequest):
        read_jobs([row])
    (plan,) = read_jobs([row], allow_unrecognized_sources=True).plans
    assert plan.request["allow_unrecognized_sources"] is True


# Which text the bytes are. Short prompts in GBK that decode as UTF-8 without an error, found by trying.
GBK_AS_UTF8 = [
    text
    for text in ("一只猫", "猫", "一只狗", "一张脸", "山", "两只猫", "一只鸟", "云", "一片云", "月亮", "夜", "猫和狗")
    if codecs.decode(text.encode("gbk"), "utf-8", "replace") is not None
    and "\ufffd" not in text.encode("gbk").decode("utf-8", "replace")
]


def test_some_short_prompts_are_ambiguous() -> None:
    assert "一只猫".encode("gbk").decode() == "һֻè"  # the example that was paid for
    assert GBK_AS_UTF8


@pytest.mark.parametrize("text", GBK_AS_UTF8)
def test_a_file_that_can_be_read_in_two_ways_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "jobs.csv"
    path.write_bytes(f"prompt\r\n{text}\r\n".encode("gbk"))
    with pytest.raises(InvalidRequest) as caught:
        read_jobs(path)
    (problem,) = caught.value.problems
    assert text in problem.message
    assert "--encoding" in problem.hint
    assert read_jobs(path, encoding="gb18030").plans[0].request["prompt"] == text
    assert read_jobs(path, encoding="utf-8").plans[0].request["prompt"] != text


@pytest.mark.parametrize(
    "text",
    [
        "café au lait",
        "isso é um gato, coração",
        "Grüße aus München",
        "кошка на окне",
        "γάτα στο παράθυρο",
        "חתול על החלון",
        "قطة على النافذة",
        "con mèo trên cửa sổ",
        "kočka na okně",
        "一只猫坐在窗边，看着外面的雨",
        "猫",
        "窓辺の猫",
        "창가의 고양이",
        "a cat 🐱",
        "“quoted” – dashes",
        "naïve",
    ],
)
def test_text_in_utf_8_is_not_doubted(tmp_path: Path, text: str) -> None:
    path = tmp_path / "jobs.csv"
    path.write_text(f'prompt\n"{text}"\n', encoding="utf-8")
    assert read_jobs(path).plans[0].request["prompt"] == text.replace('"', "")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_byte_order_mark_says_what_it_is(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "jobs.csv"
    path.write_text("prompt\n一只猫\n", encoding=encoding)
    assert read_jobs(path).plans[0].request["prompt"] == "一只猫"


def test_utf_16_without_a_mark_is_named(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path / "jobs.csv", "prompt\nx\n".encode("utf-16-le"))
    assert "zero bytes" in problem


def test_the_byte_of_an_encoding_error_is_right_in_a_long_file(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path / "jobs.csv", b"prompt\n" + b"x" * 9000 + b"\xff\n")
    assert "byte 9007" in problem


@pytest.mark.parametrize("encoding", ["klingon", "hex", "ascii"])
def test_an_encoding_that_cannot_be_is_refused(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "jobs.csv"
    path.write_text("prompt\n一只猫\n", encoding="utf-8")
    with pytest.raises(InvalidRequest):
        read_jobs(path, encoding=encoding)


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ("", "line 1, header: empty"),
        ("prompt,,batchsize", "line 1, header: a column has no name"),
        ("prompt,id,prompt", "line 1, header: “prompt” is given twice"),
        ("id,resolution", "line 1, prompt: missing from the header"),
    ],
)
def test_a_wrong_header_is_one_problem(tmp_path: Path, header: str, problem: str) -> None:
    # A wrong header is one problem, and not one for each of the rows.
    assert [one.split(" (")[0] for one in problems_of(tmp_path / "jobs.csv", header + "\n" + "a,b,c\n" * 1000)][:1] == [
        problem
    ]


def test_an_unknown_header_is_not_followed_by_a_problem_for_each_row(tmp_path: Path) -> None:
    problems = problems_of(tmp_path / "jobs.csv", "promt,batch\n" + "a cat,2\n" * 1000)
    assert [one.split(":")[0] for one in problems] == ["line 1, promt", "line 1, batch", "line 1, prompt"]


def test_utf_32_is_distinguished_from_utf_16_by_its_mark(tmp_path: Path) -> None:
    path = tmp_path / "jobs.csv"
    path.write_bytes("prompt\n一只猫\n".encode("utf-32"))
    assert [plan.request["prompt"] for plan in read_jobs(path).plans] == ["一只猫"]
