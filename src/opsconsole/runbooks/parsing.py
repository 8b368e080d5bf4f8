"""From the bytes of a Markdown file to a `Runbook`. Never raises: what is wrong becomes a problem of the runbook."""

import hashlib
import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import PurePath
from types import MappingProxyType

from opsconsole.actions.action import Risk
from opsconsole.core.clean import clean_line
from opsconsole.core.problem import Problem, Severity
from opsconsole.runbooks.attribute_reader import Reader
from opsconsole.runbooks.attributes import Info, read_info
from opsconsole.runbooks.blocks import Block, read_blocks
from opsconsole.runbooks.directives import STEP_NAME, read_fields, read_kind, report_unknown
from opsconsole.runbooks.frontmatter import Front, read_front
from opsconsole.runbooks.kind_attributes import report_misplaced
from opsconsole.runbooks.model import Confirm, Group, Kind, ManualItem, Provenance, Runbook, Span, Step

MAX_BYTES = 256 * 1024
"""The longest real runbook among 1,776 public ones has 180 kB; parsing costs up to 5 s for each MB of list items."""
_BREAK = re.compile(b"\r\n|\r|\n")
_MAX_TITLE = 300


def parse_runbook(content: bytes, path: str, provenance: Provenance | None = None) -> Runbook:
    """The runbook that `content` is; `path` names it in problems, and lends its name where no id is given."""
    return (_parsed if len(content) <= MAX_BYTES else _parsed.__wrapped__)(content, path, provenance)


@lru_cache(maxsize=64)
def _parsed(content: bytes, path: str, provenance: Provenance | None) -> Runbook:
    """Kept for a while: libraries, includes, resumed runs and their fronts all ask for the same few files."""
    return _Parser(content, path, provenance).parse()


@dataclass(slots=True)
class _Section:
    """A group while its text is still being collected."""

    title: str
    level: int
    line: int
    cursor: int
    """The first line, from 0, that no step has claimed as its prose."""
    number: int = 0
    """Position among the groups that have steps."""
    steps: int = 0
    text: str = ""


@dataclass(slots=True)
class _Parser:
    content: bytes
    path: str
    provenance: Provenance | None
    problems: list[Problem] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    items: list[ManualItem] = field(default_factory=list)
    sections: list[_Section] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    hidden: set[int] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    given: set[str] = field(default_factory=set)
    """Names that authors gave, as they come; `names` has them all from the start."""
    derived: dict[str, int] = field(default_factory=dict)
    """How often a derived name was taken."""
    groups_with_steps: int = 0

    def parse(self) -> Runbook:
        self.provenance = self.provenance or Provenance(hashlib.sha256(self.content).hexdigest())
        text = self._text()
        self.offsets = [0, *(found.end() for found in _BREAK.finditer(self.content))]
        self.lines = re.split("\r\n|\r|\n", text)
        front = read_front(self.lines, self.path)
        self.problems.extend(front.problems)
        blocks = read_blocks("\n".join(self.lines[front.lines :]))
        read = [(block, read_info(block.info)) for block in blocks]
        self.names = {
            info.attributes["name"] for block, info in read if block.kind == "fence" and "name" in info.attributes
        }
        annotated = bool(self.names)
        self.sections = [_Section("", 0, front.lines + 1, front.lines)]
        for block, info in read:
            self._take(block, info, front.lines, checklist=not annotated)
        self._close_section(len(self.lines), checklist=not annotated)
        return self._runbook(front)

    def _text(self) -> str:
        if len(self.content) > MAX_BYTES:
            size = len(self.content)
            cut = self.content.rfind(b"\n", 0, MAX_BYTES) + 1 or MAX_BYTES
            self.content = self.content[:cut]
            self._problem(
                0, "too-large", f"{size} bytes; only the first {MAX_BYTES} are read, and nothing of it can run"
            )
        try:
            return self.content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = len(_BREAK.findall(self.content[: error.start]))
            byte = f"0x{self.content[error.start]:02x}"
            self._problem(line, "not-utf8", f"byte {byte} is not UTF-8; shown as Latin-1, and nothing of it can run")
            return self.content.decode("latin-1")

    def _take(self, block: Block, info: Info, offset: int, *, checklist: bool) -> None:
        first, end = block.first + offset, block.end + offset
        match block.kind:
            case "heading":
                self._close_section(first, checklist=checklist)
                title = clean_line(block.text, limit=_MAX_TITLE)
                self.sections.append(_Section(title, block.level, first + 1, end))
            case "comment":
                self.hidden.update(range(first, end))
            case "task":
                span = self._span(first, end)
                self.items.append(ManualItem(block.text, block.checked, span))
                self._manual(block.text, first, span)
                self.sections[-1].cursor = end
            case "fence" if self._is_step(info, first):
                self._step(block, info, first, end)
                self.sections[-1].cursor = end

    def _is_step(self, info: Info, line: int) -> bool:
        if info.intended_json:
            message = "the attributes are no flat JSON object (the first '}' ends them); the block is text, not a step"
            self._problem(line, "attributes", message, column=self._column(line, "{"))
            return False
        return bool(info.attributes.get("name"))

    def _step(self, block: Block, info: Info, first: int, end: int) -> None:
        def report(attribute: str, code: str, message: str) -> None:
            column = self._column(first, f'"{attribute}"') if info.form == "json" else self._column(first, attribute)
            self._problem(first, code, message, column=column)

        if not block.closed:
            report("name", "unclosed-fence", "this block has no closing fence; everything after it would be run")
        if not info.flat:
            report("name", "attributes", "nested values in the attributes; write one flat JSON object")
        if not info.spaced:
            message = "no space between the language and the attributes; Git hosts do not highlight the block"
            self._problem(first, "attributes-spacing", message, severity="warning")
        reader = Reader(info.attributes, report)
        name = info.attributes["name"].strip()
        if not STEP_NAME.fullmatch(name):
            report("name", "bad-name", f"{clean_line(name, limit=60)!r}; expected lower-case letters, digits and '-'")
        if name in self.given:
            report("name", "duplicate-name", f"a step named {clean_line(name, limit=60)!r} is there already")
        self.given.add(name)
        report_unknown(reader)
        kind = read_kind(info.language, reader)
        report_misplaced(kind, reader)
        span = self._span(first, end)
        if b"\0" in self.content[span.start : span.end]:
            report("name", "nul", "a NUL byte in the block")
        self.steps.append(
            Step(
                name=name,
                kind=kind,
                title=clean_line(info.attributes.get("title") or name.replace("-", " "), limit=_MAX_TITLE),
                body=block.text.removesuffix("\n"),
                number=self._number(),
                group=len(self.sections) - 1,
                span=span,
                prose=self._prose(self.sections[-1].cursor, first),
                language=info.language,
                attributes=MappingProxyType(info.attributes),
                **read_fields(kind, reader, block.text),
            )
        )

    def _manual(self, text: str, first: int, span: Span) -> None:
        self.steps.append(
            Step(
                name=self._derive(text),
                kind=Kind.MANUAL,
                title=clean_line(text, limit=_MAX_TITLE),
                body=text,
                number=self._number(),
                group=len(self.sections) - 1,
                span=span,
                prose=self._prose(self.sections[-1].cursor, first),
                risk=Risk.READ,
                confirm=Confirm("none"),
            )
        )

    def _derive(self, text: str) -> str:
        """A name for a step that was given none: stable as long as its text is."""
        words = re.findall(r"[a-z0-9]+", re.sub("['’`]", "", text[:200].lower()))
        base = "-".join(words)[:41]
        base = (base if len(base) < 41 else base.rpartition("-")[0] or base[:40]) or "item"
        count = self.derived.get(base, 0)
        while True:
            count += 1
            name = base if count == 1 else f"{base}-{count}"
            if name not in self.names:
                break
        self.derived[base] = count
        self.names.add(name)
        return name

    def _number(self) -> str:
        section = self.sections[-1]
        if not section.steps:
            self.groups_with_steps += 1
            section.number = self.groups_with_steps
        section.steps += 1
        return f"{section.number}.{section.steps}"

    def _close_section(self, end: int, *, checklist: bool) -> None:
        """The group ends before line `end`: what no step claimed is its text."""
        section = self.sections[-1]
        section.text = self._prose(section.cursor, end)
        if checklist and section.level and section.text and not section.steps:
            # without a single annotation every heading is a thing to read and do
            span = self._span(section.line - 1, end)
            self._manual(section.title or "untitled", section.line - 1, span)
            self.steps[-1] = replace(self.steps[-1], prose=section.text)
            section.text = ""

    def _prose(self, first: int, end: int) -> str:
        kept = [line for number, line in enumerate(self.lines[first:end], start=first) if number not in self.hidden]
        return "\n".join(kept).strip("\n").rstrip()

    def _span(self, first: int, end: int) -> Span:
        ends = self.offsets[end] if end < len(self.offsets) else len(self.content)
        return Span(first + 1, end, self.offsets[first], ends)

    def _column(self, line: int, needle: str) -> int:
        return self.lines[line].find(needle) + 1 or 1

    def _problem(self, line: int, code: str, message: str, *, column: int = 1, severity: Severity = "error") -> None:
        self.problems.append(Problem(self.path, line + 1, column, severity, code, message))

    def _runbook(self, front: Front) -> Runbook:
        read = front.read
        stem = PurePath(self.path).stem
        heading = next((section.title for section in self.sections if section.level == 1), "")
        groups = tuple(Group(one.title, one.level, one.text, one.line) for one in self.sections)
        review_by = read.get("review_by")
        return Runbook(
            id=read.get("id") or re.sub(r"[^a-z0-9._-]+", "-", stem.lower()).strip("-") or "runbook",
            title=clean_line(read.get("title") or heading or stem, limit=_MAX_TITLE),
            path=self.path,
            provenance=self.provenance or Provenance(""),
            version=read.get("runbook"),
            owner=read.get("owner", ""),
            severity=tuple(read.get("severity", ())),
            alerts=tuple(read.get("alerts", ())),
            review_by=review_by.isoformat() if review_by else "",
            params=front.params,
            secrets=tuple(read.get("secrets", ())),
            lock=read.get("lock", ""),
            groups=groups,
            steps=tuple(self.steps),
            items=tuple(self.items),
            problems=tuple(sorted(self.problems)),
            front=MappingProxyType(front.raw),
            source=self.content,
        )
