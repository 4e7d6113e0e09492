"""Files that are not our page: exit code 4, a message of one paragraph, nothing replaced, and soon."""

import time

import pytest
from page_edits import INFO, PAGE, YAML, RepositoryCopy, as_json, document, edited, operation, page, replaced
from pipeline.__main__ import main
from pipeline.strict_yaml import MAX_DEPTH, MAX_JSON_BYTES, MAX_YAML_BYTES

BOMB = b"a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"a%d: &a%d [%s]\n" % (level, level, b",".join([b"*a%d" % (level - 1)] * 9)) for level in range(1, 60)
)
BLOCK = b"````yaml " + INFO + b"\n" + YAML + b"````\n"
REFERENCE = b"'#/components/schemas/GeneralResponse'"

# name -> (what is given, words of the message)
REFUSED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty"),
    "blank": (b" \r\n\t\n", "is empty"),
    "only a BOM": (b"\xef\xbb\xbf", "is empty"),
    "binary": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is a binary file"),
    "NUL inside": (PAGE.replace(b"maximum", b"max\0mum"), "is a binary file"),
    "another encoding": (PAGE.decode().encode("gb18030"), "is not UTF-8 text"),
    "UTF-16": (PAGE.decode().encode("utf-16"), "is a binary file"),
    "HTML": (b"<!doctype html><html><body>404</body></html>", "holds no OpenAPI block"),
    "no fence": (b"# Title\n\nSome text.\n", "holds no OpenAPI block"),
    "other fences": (b"```bash\ncurl\n```\n", "holds no OpenAPI block"),
    "two fences": (PAGE + b"\n\n" + BLOCK, "holds 2 candidate blocks (at lines 13, 145)"),
    "two bare fences": (b"```yaml\n" + YAML + b"```\n```yaml\n" + YAML + b"```\n", "holds 2 candidate blocks"),
    "unclosed": (PAGE.removesuffix(b"````"), "is never closed with ````"),
    "closed by a shorter fence": (PAGE.removesuffix(b"`"), "is never closed with ````"),
    "cut short": (PAGE[:2500], "is never closed with ````"),
    "in a quotation": (
        b"".join(b"> " + line for line in BLOCK.splitlines(keepends=True)),
        "inside a list or a quotation",
    ),
    "in a list": (b"- x\n\n" + b"".join(b"  " + line for line in BLOCK.splitlines(keepends=True)), "inside a list or"),
    "indented": (b"".join(b"  " + line for line in BLOCK.splitlines(keepends=True)), "is indented"),
    "truncated YAML": (page(YAML[:1487]), "line 13"),
    "truncated bare YAML": (YAML[:1501], "breaks the OpenAPI specification"),
    "truncated JSON": (as_json(document())[:-3], "cannot be read"),
    "duplicate key": (
        replaced(("maximum: 15", "minimum: 2")),
        'found duplicate key "minimum" with value "2" (original value: "1") (line 43',
    ),
    "duplicate key, once as a number": (
        page(YAML.replace(b"'200':", b"200: {description: other}\n        '200':", 1)),
        "found duplicate key '200' in one object",
    ),
    "duplicate key in JSON": (b'{"openapi": "3.0.3", "openapi": "3.0.3"}', "found duplicate key 'openapi'"),
    "alias bomb": (page(BOMB + YAML), "values once its aliases are written out"),
    "alias within itself": (page(b"a: &a [*a]\n" + YAML), "contains itself"),
    "unknown alias": (page(b"a: *nothing\n" + YAML), "undefined alias 'nothing'"),
    "merge key": (page(YAML.replace(b"type: apiKey", b"<<: {type: apiKey}")), "merge key"),
    "Python object": (page(YAML.replace(b"maximum: 15", b"maximum: !!python/object/apply:os.getcwd []")), "the tag"),
    "not a number": (page(YAML.replace(b"maximum: 15", b"maximum: .nan")), "not a number that JSON has"),
    "NaN in JSON": (b'{"openapi": NaN}', "not a number that JSON has"),
    "endless number": (b'{"openapi": 1e999}', "too large"),
    "key that is not text": (page(b"1.5: x\n" + YAML), "the key 1.5 is not text"),
    "tab": (page(YAML.replace(b"  title", b"\ttitle")), "cannot start any token"),
    "two documents": (page(YAML + b"---\na: 1\n"), "expected a single document"),
    "deep": (page(b"a: " + b"[" * 100_000 + b"\n"), f"nested deeper than {MAX_DEPTH} levels"),
    "deep JSON": (b"[" * 200_000, f"nested deeper than {MAX_DEPTH} levels"),
    "huge": (b"x" * (MAX_JSON_BYTES + 1), "is larger than"),
    "huge YAML": (page(b"a: " + b"x" * MAX_YAML_BYTES + b"\n"), "longer than"),
    "endless text": (replaced(("description: 源图片文件", f"description: {'甲。' * 11_000}")), "is longer than 20,000"),
    "a list": (page(b"- 1\n"), "the top level is not a mapping"),
    "a JSON list": (b"[1]", "the top level is not a mapping"),
    "Swagger 2": (page(YAML.replace(b"openapi: 3.0.3", b"swagger: '2.0'")), "is Swagger 2.0, not OpenAPI 3"),
    "no OpenAPI": (page(b"a: 1\n"), "is not an OpenAPI document"),
    "OpenAPI 4": (page(YAML.replace(b"3.0.3", b"4.0.0")), "reads 3.0.x and 3.1.x"),
    "version as a number": (page(YAML.replace(b"3.0.3", b"3.1")), "reads 3.0.x and 3.1.x"),
    "paths as a list": (page(YAML.replace(b"paths:\n", b"paths: []\nx-paths:\n")), "is not an OpenAPI document"),
    "limit as a word": (page(YAML.replace(b"maximum: 15", b"maximum: many")), "breaks the OpenAPI specification"),
    "operationId as a number": (page(YAML.replace(b"Id: seeDreamV45", b"Id: 45")), "operationId: 45 is not of type"),
    "reference to a host": (
        page(YAML.replace(REFERENCE, b"'https://example.com/x.json'")),
        "leads out of the document",
    ),
    "reference to a file": (page(YAML.replace(REFERENCE, b"'../../etc/passwd'")), "leads out of the document"),
    "reference to nothing": (page(YAML.replace(REFERENCE, b"'#/components/schemas/Gone'")), "leads nowhere"),
    "endless schemas": (page(YAML.replace(b"schemas/BaseResponse'", b"schemas/GeneralResponse'")), "without end"),
    "another model's page": (
        PAGE.replace(b"seedreamv45", b"seedreamv5").replace(b"seeDreamV45", b"seeDreamV5"),
        "does not describe our operation (seeDreamV45)",
    ),
    "our operation missing": (edited(lambda d: operation(d) and d["paths"].clear()), "does not describe our operation"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, repository: RepositoryCopy) -> None:
    data, words = REFUSED[name]
    begun = time.process_time()
    ended = repository.take(data, accept=True)  # ACCEPT=1 makes no difference
    assert (ended.code, ended.changed) == (4, False), ended.text
    assert words in ended.text
    assert len(ended.text) < 700
    assert "\n\n" not in ended.text
    assert time.process_time() - begun < 5


def test_path_that_is_not_a_file(repository: RepositoryCopy, capsys: pytest.CaptureFixture[str]) -> None:
    for path, words in (
        (repository.root, "is a folder"),
        (repository.root / "x.md", "no such file"),
        ("x" * 5000, "cannot be read"),
    ):
        assert main(["--root", str(repository.root), "generate", "--spec", str(path)]) == 4
        assert words in capsys.readouterr().err


def test_the_report_says_refused(repository: RepositoryCopy) -> None:
    given = repository.root / "page.md"
    given.write_bytes(b"")
    assert main(["--root", str(repository.root), "generate", "--spec", str(given)]) == 4
    assert "**Refused. Nothing was replaced.**" in repository.read("build/spec-report.md")
