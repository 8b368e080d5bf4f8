"""Reading Markdown: what is a step, where it stands, and that nothing anybody wrote breaks the reader."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsconsole.actions.action import Risk
from opsconsole.runbooks.attributes import read_info
from opsconsole.runbooks.lint import lint
from opsconsole.runbooks.model import Condition, Confirm, Count, Kind, Runbook
from opsconsole.runbooks.parsing import MAX_BYTES, parse_runbook
from tests.examples import share

CORPUS = Path(__file__).parents[4] / "shared" / "data" / "runbooks"
HEAD = "---\nrunbook: 1\nid: t\n---\n"


def parse(text: str | bytes) -> Runbook:
    return parse_runbook(text if isinstance(text, bytes) else text.encode(), "t.md")


def codes(book: Runbook) -> list[str]:
    return [problem.code for problem in book.problems]


def test_the_example_of_the_design() -> None:
    book = parse("""---
runbook: 1
id: dag-failure-recovery
title: DAG failure recovery
owner: data-platform
severity: [P1, P2]
alerts: [AirflowDagFailed]
review_by: 2027-01-31
params:
  DAG_ID:   {type: string, required: true, pattern: "[A-Za-z0-9_.-]{1,250}", help: "DAG id", from_label: dag_id}
  RUN_DATE: {type: date, default: today}
secrets: [AIRFLOW_TOKEN]
lock: "dag:{DAG_ID}"
---
## Pre-recovery checks
Look first.
```sql {"name":"failed-tasks","conn":"airflow","risk":"read","timeout":"30s","expectRows":">0"}
select task_id from task_instance where dag_id = :'DAG_ID';
```
## Single task recovery
```sh {"name":"clear-tasks","confirm":"type:DAG_ID","timeout":"2m","when":"step:failed-tasks=ok&&RUN_DATE!=x"}
airflow tasks clear --yes -- "$DAG_ID"
```
- [ ] Tell #data-ops what you cleared
""")
    assert not book.problems
    assert (book.id, book.alerts, book.review_by) == ("dag-failure-recovery", ("AirflowDagFailed",), "2027-01-31")
    assert [(param.name, param.type, param.required, param.from_label) for param in book.params] == [
        ("DAG_ID", "string", True, "dag_id"),
        ("RUN_DATE", "date", False, ""),
    ]
    query, clear, tell = book.steps
    assert (query.kind, query.risk, query.timeout, query.conn) == (Kind.SQL, Risk.READ, 30.0, "airflow")
    assert (query.expectations.rows, query.prose, query.number) == (Count(">", 0), "Look first.", "1.1")
    assert query.confirm == Confirm("none")
    assert clear.confirm == Confirm("type", "DAG_ID")
    assert clear.when == (Condition("failed-tasks", True, True, "ok"), Condition("RUN_DATE", False, False, "x"))
    assert clear.body == 'airflow tasks clear --yes -- "$DAG_ID"'
    assert (tell.kind, tell.name, tell.number) == (Kind.MANUAL, "tell-data-ops-what-you-cleared", "2.2")
    assert [group.title for group in book.groups] == ["", "Pre-recovery checks", "Single task recovery"]


@pytest.mark.parametrize(
    ("info", "language", "attributes"),
    [
        ('sh {"name":"x","timeout":30,"flag":true}', "sh", {"name": "x", "timeout": "30", "flag": "true"}),
        ('sh {"name":"x","list":["a","b"]}', "sh", {"name": "x", "list": '["a", "b"]'}),
        ("sh { name=x interactive=false }", "sh", {"name": "x", "interactive": "false"}),
        ('sh { name="two words" }', "sh", {"name": '"two', 'words"': ""}),
        ("sh {name=x, b=c}", "sh", {"name": "x,", "b": "c"}),
        ("sh { name = x }", "sh", {"name": "", "x": ""}),
        # cut at the first }: what is left is no JSON, and the words of it become keys
        ('sh {"name":"x","expect":{"exit":0}}', "sh", {'"name":"x","expect":{"exit":0': ""}),
        ("sh{name=x}", "sh", {"name": "x"}),
        ('{"name":"x"}', "", {"name": "x"}),
        ("sh {}", "sh", {}),
        ("SQL", "sql", {}),
        ("REDISCLI_AUTH=$(sudo grep x)", "rediscli_auth=$(sudo", {}),
        ("", "", {}),
    ],
)
def test_attributes_are_read_as_runme_reads_them(info: str, language: str, attributes: dict[str, str]) -> None:
    found = read_info(info)
    assert (found.language, found.attributes) == (language, attributes)


def test_only_a_block_with_a_name_is_a_step() -> None:
    book = parse(HEAD + '```sh\nrm -rf /\n```\n```sh {"risk":"read"}\nls\n```\n```sh {"name":"x"}\nid\n```\n')
    assert [step.name for step in book.steps] == ["x"]
    assert "rm -rf /" in book.steps[0].prose


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_spans_are_the_bytes_of_the_block(newline: str) -> None:
    text = HEAD + 'Grüße\n\n- item\n\n  ```sh {"name":"x","risk":"read","timeout":"1s"}\n  echo ü\n  ```\n\nend'
    content = b"\xef\xbb\xbf" + text.replace("\n", newline).encode()
    (step,) = parse(content).steps
    assert step.body == "echo ü"
    cut = content[step.span.start : step.span.end].decode()
    assert cut.startswith("  ```sh {")
    assert cut.endswith(f"  ```{newline}")
    assert (step.span.first, step.span.last) == (9, 11)


def test_nested_blocks_are_steps_and_longer_fences_hold_shorter_ones() -> None:
    nested = '> 1. do\n>\n>    ```sh {"name":"deep"}\n>    true\n>    ```\n'
    outer = '````md\n```sh {"name":"inner"}\nfalse\n```\n````\n~~~sh {"name":"tilde"}\ntrue\n~~~\n'
    assert [step.name for step in parse(nested + outer).steps] == ["deep", "tilde"]


def test_a_block_without_an_end_is_an_error() -> None:
    book = parse(HEAD + '```sh {"name":"x","timeout":"1s"}\ntrue\n\n## Next\nrm -rf /\n')
    assert "unclosed-fence" in codes(book)


def test_what_is_commented_out_is_no_step() -> None:
    assert not parse('<!--\n```sh {"name":"x"}\ntrue\n```\n-->\n').steps


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD + '```sh {"name":"x","expect":{"exit":0}}\ntrue\n```\n', "attributes"),
        (HEAD + '```sh {"name":"a b"}\ntrue\n```\n', "bad-name"),
        (HEAD + '```sh {"name":"x"}\ntrue\n```\n```sh {"name":"x"}\ntrue\n```\n', "duplicate-name"),
        (HEAD + '```sh {"name":"x","timeout":"soon"}\ntrue\n```\n', "bad-duration"),
        (HEAD + '```sh {"name":"x","rsik":"read"}\ntrue\n```\n', "unknown-attribute"),
        (HEAD + '```sh {"name":"x","promptEnv":"yes"}\ntrue\n```\n', "not-yet"),
        (HEAD + '```ruby {"name":"x"}\nputs 1\n```\n', "no-kind"),
        (HEAD + '```sh {"name":"x","when":"$(id)"}\ntrue\n```\n', "bad-condition"),
        (HEAD + '```sh {"name":"x","expect":"("}\ntrue\n```\n', "bad-pattern"),
        (HEAD.encode() + b'```sh {"name":"x"}\nca\xe9\n```\n', "not-utf8"),
        (HEAD.encode() + b'```sh {"name":"x"}\na\0b\n```\n', "nul"),
        ("---\nrunbook: 1\nid: [\n---\n", "bad-yaml"),
        ("---\nrunbook: 1\nid: x\nparms: {}\n---\n", "unknown-key"),
        ("---\nrunbook: 1\nid: x\nparams: {dag: {}}\n---\n", "bad-name"),
        ("+++\nrunbook = \n+++\n", "bad-toml"),
        ("---\ntitle: x\n", "front-matter-open"),
    ],
)
def test_mistakes_have_a_name_and_a_place(text: str | bytes, expected: str) -> None:
    book = parse(text)
    found = [problem for problem in book.problems if problem.code == expected]
    assert found, book.problems
    assert found[0].line >= 1


@pytest.mark.parametrize(
    "front",
    [
        '---\nrunbook: 1\nid: same\ntitle: "T"\nparams: {A: {default: "007"}}\n---\n',
        '+++\nrunbook = 1\nid = "same"\ntitle = "T"\n[params.A]\ndefault = "007"\n+++\n',
        '{\n "runbook": 1, "id": "same", "title": "T",\n "params": {"A": {"default": "007"}}\n}\n',
    ],
)
def test_front_matter_in_three_languages(front: str) -> None:
    book = parse(front + "# Heading\n")
    assert (book.version, book.id, book.title, book.problems) == (1, "same", "T", ())
    assert [(param.name, param.default) for param in book.params] == [("A", "007")]


@pytest.mark.parametrize("text", ["---\n\ntext\n", "--\nid: x\n--\n", "{ not json\n", "text\n---\nid: x\n---\n", ""])
def test_what_is_no_front_matter_is_text(text: str) -> None:
    book = parse(text)
    assert (book.version, book.problems) == (None, ())


def test_names_of_manual_steps_are_unique_and_never_taken_from_a_block() -> None:
    book = parse('- [ ] Do it\n- [x] Do it\n```sh {"name":"do-it"}\ntrue\n```\n- [ ] 日本\n')
    assert [step.name for step in book.steps] == ["do-it-2", "do-it-3", "do-it", "item"]


def test_what_is_too_large_is_read_in_part_and_cannot_run() -> None:
    book = parse(HEAD + '```sh {"name":"x"}\ntrue\n```\n' + ("text " * 40 + "\n") * (MAX_BYTES // 40))
    assert "too-large" in codes(book)
    assert book.step("x")


SCRAPS = st.sampled_from(
    [
        *(
            "---\n",
            "+++\n",
            "runbook: 1\n",
            "id: x\n",
            "params: {A: {type: enum}}\n",
            "&a [*a]\n",
            "```",
            "~~~",
            "sh ",
            "sql ",
        ),
        *(
            '{"name":"a","timeout":"1s"}',
            "{ name=b }",
            "}",
            "\n",
            "\r\n",
            "\r",
            "> ",
            "- [ ] ",
            "- ",
            "  ",
            "\t",
            "## H",
        ),
        *(
            "<!--",
            "-->",
            ":'A'",
            ':"A"',
            "$A",
            "${A",
            "<x>",
            "'",
            '"',
            "$$",
            "/*",
            "\ufeff",
            "\u00a0",
            "\0",
            "ü",
            "\ud7ff",
        ),
        '"when":"A=1"',
    ]
)


@settings(max_examples=share(2))
@given(st.lists(SCRAPS, max_size=40).map("".join))
def test_no_text_breaks_the_reader_or_the_linter(text: str) -> None:
    book = parse(text)
    problems = lint(book)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1
    assert all(0 <= problem.line <= lines + 1 for problem in problems)
    for step in book.steps:
        assert 0 <= step.span.start <= step.span.end <= len(book.source)


@settings(deadline=2000)
@given(st.binary(max_size=2000))
def test_no_bytes_break_the_reader_or_the_linter(content: bytes) -> None:
    lint(parse(content))


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the public runbooks are not here")
def test_public_runbooks_are_read_fast_and_never_fail() -> None:
    from markdown_it import MarkdownIt

    reference = MarkdownIt("commonmark")
    began, count = time.monotonic(), 0
    for path in CORPUS.rglob("*.md"):
        book = parse_runbook(path.read_bytes(), str(path))
        lint(book)
        count += 1
        assert not any(problem.code == "unclosed-fence" for problem in book.problems)
    assert (time.monotonic() - began) / count < 0.05
    from opsconsole.runbooks.blocks import read_blocks

    for path in list(CORPUS.rglob("*.md"))[:60]:
        text = path.read_text(errors="replace")
        fences = sum(token.type == "fence" for token in reference.parse(text))
        assert sum(block.kind == "fence" for block in read_blocks(text)) == fences, path
