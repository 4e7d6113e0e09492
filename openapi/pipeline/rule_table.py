"""The README's table of rules, written from the ledger between two marks."""

import re
from pathlib import Path
from typing import Final

from .errors import BrokenInputs, Different
from .inputs import Inputs
from .ledger import Rule

BEGIN: Final = "<!-- rules:begin -->"
END: Final = "<!-- rules:end -->"
FILES: Final = {"README.md": "en", "README.zh-CN.md": "zh"}
_HEADS: Final = {
    "en": "| rule | what it says | where it is from |\n|---|---|---|\n",
    "zh": "| 规则 | 内容 | 来源 |\n|---|---|---|\n",
}
_FROM: Final = {"en": "the page", "zh": "官方文档页"}
_STANDING_ZH: Final = {"stated": "写明", "inferred": "推断", "contradicted": "矛盾"}


def table(inputs: Inputs, language: str) -> str:
    """Return the table in Markdown, with the rules in the ledger's order."""
    return _HEADS[language] + "".join(_row(rule, language) for rule in inputs.ledger.rules.values())


def _row(rule: Rule, language: str) -> str:
    words = rule.summary
    source = _FROM[language] if rule.from_page else f"{rule.standing}: {rule.source}"
    if language == "zh":
        words = rule.sentences.get(language) or rule.summary_zh or rule.summary
        if not rule.from_page:
            source = f"{_STANDING_ZH[rule.standing]}：{rule.source_zh or rule.source}"
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in (f"`{rule.id}`", words, source)) + " |\n"


def tables(root: Path, inputs: Inputs) -> dict[str, bytes]:
    """Return the READMEs that have the marks, by name, with their tables written from the ledger."""
    found: dict[str, bytes] = {}
    for name, language in FILES.items():
        text = (root / name).read_text("utf-8") if (root / name).is_file() else ""
        if BEGIN in text or END in text:
            found[name] = _with_table(text, table(inputs, language), name).encode()
    return found


def check_tables(root: Path, inputs: Inputs) -> None:
    """Check that every table is what the ledger makes.

    Raises:
        Different: one is not.
    """
    for name, data in tables(root, inputs).items():
        if (root / name).read_bytes() != data:
            raise Different(f"the table of rules in {name} is not what the ledger makes; run `make generate`.")


def _with_table(text: str, rows: str, name: str) -> str:
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise BrokenInputs(f"{name}: {BEGIN} and {END} must each be there once, in this order.")
    pattern = re.escape(BEGIN) + r".*" + re.escape(END)
    return re.sub(pattern, lambda _: f"{BEGIN}\n{rows}{END}", text, flags=re.DOTALL)
