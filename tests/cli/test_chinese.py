"""Where the locale is Chinese, help, results, errors and advice are Chinese; the table of texts is complete."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from core import messages
from rich.cells import cell_len
from seedream import errors
from seedream.bulk import ENDINGS
from seedream.cli import app as app_module
from seedream.cli import bulk, bulk_report, exit_codes, language, rule_text, task
from seedream.cli.demo.command import EXAMPLES
from seedream.cli.messages_zh import MESSAGES, PATTERNS, SUMMARIES
from tensorslab_images.rules import RULES

CLI = Path(app_module.__file__).parent
CHINESE = re.compile(r"[\u4e00-\u9fff]")
PLACEHOLDER = re.compile(r"\{(\w+)(?:!t)?\}")


def commands(command: click.Command = app_module.app) -> Iterator[click.Command]:
    yield command
    if isinstance(command, click.Group):
        with click.Context(command) as context:
            for name in command.list_commands(context):
                found = command.get_command(context, name)
                assert found is not None
                yield from commands(found)


def printed_texts() -> Iterator[str]:
    """Yield every text that the command line passes to ``tr`` or ``translate`` as a literal."""
    for path in CLI.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("tr", "translate"):
                choices = [node.args[0].body, node.args[0].orelse] if isinstance(node.args[0], ast.IfExp) else node.args
                yield from (str(one.value) for one in choices if isinstance(one, ast.Constant))


def help_texts() -> Iterator[str]:
    for command in commands():
        for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
            if not paragraph.startswith("\b"):  # examples
                yield " ".join(paragraph.split())
        with click.Context(command) as context:
            options = [one for one in command.get_params(context) if isinstance(one, click.Option) and not one.hidden]
        yield from (one.help for one in options if one.help)
    yield from (entry.summary for entry in app_module.COMMANDS.values())
    yield from app_module.VARIABLES.values()
    yield from (one.meaning for one in exit_codes.TABLE)


def tables() -> Iterator[str]:
    yield from (text for rule in RULES.values() for text in (rule.source, rule.standing))
    yield from (rule_text.summary_and_sentence(rule)[0] for rule in RULES)
    yield from bulk_report._MEANING.values()
    yield from bulk._DECISIONS
    yield from task._WITHOUT_TASK.values()
    yield from (text for ending in ENDINGS.values() for text in ending if text)
    yield from (example.title for example in EXAMPLES)


def library_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Yield the message and the hint of every error in the catalogue of messages."""
    made: list[errors.SeeDreamError] = []
    create = errors.SeeDreamError.__init__

    def note(self: errors.SeeDreamError, *arguments: Any, **named: Any) -> None:
        create(self, *arguments, **named)
        made.append(self)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(errors.SeeDreamError, "__init__", note)
    messages.catalogue()
    assert len(made) > 50
    for error in made:
        problems = error.problems if isinstance(error, errors.InvalidRequest) else [error]
        for problem in problems:
            yield from (text for text in (problem.message, problem.hint) if text)


def untranslated(texts: Iterator[str]) -> list[str]:
    found = sorted(set(texts))
    assert len(found) > 10
    return [text for text in found if not CHINESE.search(language.translate(text))]


@pytest.fixture(autouse=True)
def _chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDREAM_LANG", "zh")


def test_every_text_that_the_command_line_prints_has_its_chinese() -> None:
    # A text made of values only needs none of its own.
    assert [] == [text for text in sorted(set(printed_texts())) if text not in MESSAGES and text not in PATTERNS]


def test_every_help_text_has_its_chinese() -> None:
    assert [] == untranslated(help_texts())


def test_every_rule_state_and_ending_has_its_chinese() -> None:
    assert [] == untranslated(tables())


def test_every_message_of_the_library_has_its_chinese(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [] == untranslated(library_texts(tmp_path, monkeypatch))


def test_every_error_class_has_a_summary() -> None:
    tree = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)}
    assert len(tree) > 20
    assert tree == set(SUMMARIES)


def test_both_languages_of_a_text_have_the_same_values() -> None:
    for table in (MESSAGES, PATTERNS):
        for english, chinese in table.items():
            assert set(PLACEHOLDER.findall(english)) == set(PLACEHOLDER.findall(chinese)), english


@pytest.mark.parametrize("old", ["日志文件", "沙箱", "供应商", "厂商的页面"])
def test_each_thing_has_one_term(old: str) -> None:
    for table in (MESSAGES, PATTERNS, SUMMARIES):
        assert [] == [text for text in table.values() if old in text]


def test_an_error_is_chinese_from_the_first_line_to_the_advice(cli: Any) -> None:
    for environ in ({"LC_ALL": "zh_CN.UTF-8"}, {"SEEDREAM_LANG": "zh"}, {"LC_ALL": "", "LANG": "zh_TW"}):
        ran = cli("generate", "x", "-r", "1500x1500", **{"SEEDREAM_LANG": None, **environ})
        lines = ran.err.splitlines()
        assert "分辨率不合规，未发送，未扣费" == lines[0] or "请求不合规，未发送，未扣费" == lines[0]
        assert "错误：resolution: 1500x1500 共 2,250,000 像素，低于 3,686,400。" == lines[1]
        assert lines[2].startswith("  规则   RES-PIXELS: 总像素范围")
        assert "  处理   最接近的 1:1 尺寸是 1920x1920。" == lines[3]
    assert "错误" not in cli("generate", "x", "-r", "1x1", LC_ALL="zh_CN", SEEDREAM_LANG="en").err


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["generate"], "错误：缺少参数“PROMPT”。"),
        (["genrate"], "错误：没有命令“genrate”。"),
        (["generate", "x", "--jsno"], "错误：没有选项 --jsno，相近的有："),
        (["generate", "x", "--timeout"], "错误：选项 --timeout 需要一个值。"),
        (["wait", "x", "-n", "0"], "错误：'-n' / '--count' 的值不合法：0 不在范围 x>=1 内。"),
        (["sandbox", "--port", "x"], "错误：'--port' 的值不合法：“x”不是整数。"),
        (["generate", "x", "--sandbox", "--dry-run"], "不能与 --dry-run"),
        (["explain", "RES-PIXEL"], "错误：没有规则 'RES-PIXEL'。是否想找 RES-PIXELS"),
        (["bulk", "retry", "out"], "错误：请给出 --failed、--rejected 或两者"),
    ],
)
def test_a_wrong_command_line_is_explained_in_chinese(cli: Any, words: list[str], text: str) -> None:
    ran = cli(*words, SEEDREAM_LANG="zh")
    assert 2 == ran.code
    assert text in ran.err.splitlines()[-1]


@pytest.mark.parametrize("columns", ["38", "60", "80"])
@pytest.mark.parametrize(
    "words", [["--help"], ["generate", "--help"], ["bulk", "run", "--help"], ["sandbox", "--help"]]
)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_help_fits_the_terminal(cli: Any, words: list[str], columns: str, lang: str) -> None:
    ran = cli(*words, COLUMNS=columns, SEEDREAM_LANG=lang)
    lines = [line for line in ran.out.splitlines() if "  seedream " not in line]  # examples are not broken
    assert [] == [line for line in lines if cell_len(line) > int(columns)]


def test_a_user_s_own_text_is_not_translated(cli: Any) -> None:
    ran = cli("generate", "failed", "--dry-run", SEEDREAM_LANG="zh")
    assert "  prompt       failed\n" in ran.out
    assert "“empty”" in cli("generate", "x", "-n", "empty", SEEDREAM_LANG="zh").err
