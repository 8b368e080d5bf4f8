"""The text of a text panel, Markdown or HTML, as plain words. Nothing of it is ever interpreted."""

import re
from html.parser import HTMLParser

_BREAKS = frozenset(
    {"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "hr", "pre"}
)
_SILENT = frozenset({"script", "style", "iframe", "object", "svg", "noscript", "template"})
# No part of it can match what the next one does: a flood of brackets costs no more than reading it.
_LINK = re.compile(r"!?\[([^\[\]\n]{0,200})\]\(([^()\s]{0,500})\)")
_EMPHASIS = re.compile(r"(\*\*|__)(?=\S)([^\n]{1,500}?)(?<=\S)\1")


class _Words(HTMLParser):
    """What is to be read of a piece of HTML."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        elif tag in _BREAKS:
            self.parts.append("\n- " if tag == "li" else "\n")
        elif tag == "a":
            href = next((value for name, value in attrs if name == "href" and value), "")
            self.parts.append(f"{href} " if href.startswith(("http://", "https://")) else "")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in _BREAKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)


def plain_text(source: str) -> tuple[str, bool]:
    """(the words of `source`, whether that is not all it said). Links are followed by where they lead."""
    text = source
    if re.search(r"<[A-Za-z!/]", text):
        words = _Words()
        words.feed(text)
        words.close()
        text = "".join(words.parts)
    text = _LINK.sub(_link, text)
    text = _EMPHASIS.sub(lambda match: match[2], text)
    lines = [line.rstrip() for line in text.split("\n")]
    found = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")
    return found, found.strip() != source.strip()


def _link(match: re.Match[str]) -> str:
    if match[0].startswith("!"):
        return match[1]
    return match[2] if match[1] in ("", match[2]) else f"{match[1]} ({match[2]})"
