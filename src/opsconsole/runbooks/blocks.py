"""The block structure of Markdown as far as a runbook needs it: headings, fences, task-list items, comments.

markdown-it-py does the parsing, so that what is a fence here is a fence on every Git host. Only its block rules
run: inline markup costs time, and nothing in it can be a step.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_TASK = re.compile(r"\[([ xX])\][ \t\n]+(\S.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """One block. Lines count from 0 within the text; `end` is exclusive."""

    kind: Literal["heading", "fence", "task", "comment"]
    first: int
    end: int
    text: str
    """A heading's or item's text; a fence's content with its line breaks."""
    level: int = 0
    info: str = ""
    closed: bool = True
    """Whether a fence has its closing line, or only ended with what it stands in."""
    checked: bool = False


def read_blocks(text: str) -> list[Block]:
    """The blocks of `text` that matter, in order. Never raises, whatever the text."""
    lines = re.split("\r\n|\r|\n", text)
    tokens = _parser().parse(text)
    blocks: list[Block] = []
    for at, token in enumerate(tokens):
        first, end = token.map or (0, 0)
        if token.type == "fence":
            closed = _is_closed(lines[first:end], token.markup)
            blocks.append(Block("fence", first, end, token.content, info=token.info, closed=closed))
        elif token.type == "html_block" and token.content.lstrip().startswith("<!--"):
            blocks.append(Block("comment", first, end, token.content))
        elif token.type == "inline":
            block = _inline(tokens, at, first, end)
            if block is not None:
                blocks.append(block)
    return blocks


def _inline(tokens: "list[Token]", at: int, first: int, end: int) -> Block | None:
    token, before = tokens[at], tokens[at - 1]
    if before.type == "heading_open":
        first, end = before.map or (first, end)
        return Block("heading", first, end, token.content.strip(), level=int(before.tag[1:]))
    if before.type == "paragraph_open" and at >= 2 and tokens[at - 2].type == "list_item_open":
        task = _TASK.match(token.content)
        if task:
            return Block("task", first, end, " ".join(task[2].split()), checked=task[1] != " ")
    return None


def _is_closed(lines: list[str], markup: str) -> bool:
    if len(lines) < 2:
        return False
    last = lines[-1].lstrip("> \t").rstrip()  # what contains the fence may put a `>` before its end
    return len(last) >= len(markup) and set(last) == {markup[0]}


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    # `reference` (link definitions) reads a paragraph again for each line of it; nothing here needs it
    return MarkdownIt("commonmark").disable(["inline", "text_join", "reference"])
