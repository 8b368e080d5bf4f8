"""SQL as people write it in panes and runbooks: psql's own slots, and one statement at a time.

`:'NAME'` is a value, `:"NAME"` an identifier. A value never becomes part of the text: it travels beside it as a
server-side parameter. An identifier is quoted by the server's rules. A bare `:NAME` would be text pasted into the
statement, and is refused.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

LONGEST_IDENTIFIER = 63
"""Bytes. The server silently cuts a longer name off, and would touch another object."""

SlotKind = Literal["value", "identifier"]
READING_COMMANDS = frozenset({"select", "with", "values", "table", "show", "explain"})
"""What a query that only reads begins with. A READ ONLY transaction alone does not stop `COPY … TO PROGRAM`,
CHECKPOINT or a session-wide SET."""


class SqlTextError(ValueError):
    """SQL text that cannot be used as it is; line and column count from 1."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class Slot:
    """One place in the text that takes a value or an identifier."""

    name: str
    kind: SlotKind
    line: int
    column: int


class _Token(NamedTuple):
    kind: str
    text: str
    start: int

    @property
    def name(self) -> str:
        """The name in a slot token `:'NAME'`."""
        return self.text[2:-1]


# As the server's lexer: identifiers may hold `$`, strings double their quotes, E'' strings know backslashes.
_IDENTIFIER = r"[A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_$\u0080-\U0010ffff]*"
# Adjacent literals with a newline between are one literal, and keep the first one's rules.
_GOES_ON = r"(?:[ \t\f\r]|--[^\r\n]*)*[\r\n](?:\s|--[^\r\n]*[\r\n])*"
_E_PART = r"'(?:[^'\\]|''|\\.)*'"
_LEXER = re.compile(
    "|".join(
        (
            r"(?P<space>\s+)",
            r"(?P<line_comment>--[^\r\n]*)",
            r"(?P<block_comment>/\*)",
            rf"(?P<escape_string>[eE]{_E_PART}(?:{_GOES_ON}{_E_PART})*)",
            r"(?P<string>(?:[uU]&|[bBxXnN])?'(?:[^']|'')*')",
            r'(?P<quoted>(?:[uU]&)?"(?:[^"]|"")*")',
            r"(?P<cast>::|:=)",
            r"(?P<value>:'[A-Za-z_][A-Za-z0-9_]*')",
            r'(?P<identifier>:"[A-Za-z_][A-Za-z0-9_]*")',
            r"(?P<odd_slot>:['\"])",
            rf"(?P<bare>:{_IDENTIFIER})",
            r"(?P<dollar>\$(?:[A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_\u0080-\U0010ffff]*)?\$)",
            r"(?P<parameter>\$\d+)",
            r"(?P<unclosed>[eE]?'|\")",
            rf"(?P<word>{_IDENTIFIER})",
            r"(?P<number>\d[\w.]*)",
            r"(?P<semicolon>;)",
            r"(?P<sign>.)",
        )
    ),
    re.DOTALL,
)
_SILENT = frozenset({"space", "line_comment", "block_comment"})


def slots(sql: str) -> list[Slot]:
    """The slots of `sql` in the order of the text; one that is used twice comes twice.

    Raises:
        SqlTextError: a bare `:NAME`, a slot that is none, a `$1`, or a quote or comment that does not end.
    """
    found = []
    for token in _checked(sql):
        if token.kind in ("value", "identifier"):
            line, column = _position(sql, token.start)
            kind: SlotKind = "value" if token.kind == "value" else "identifier"
            found.append(Slot(token.name, kind, line, column))
    return found


def compose(
    sql: str,
    values: Mapping[str, str | None] | None = None,
    identifiers: Mapping[str, str] | None = None,
    *,
    encoding: str = "utf-8",
) -> tuple[bytes, tuple[str | None, ...]]:
    """The statement to send, with `$1`, `$2`, … for its values, and those values in order.

    For psycopg's *raw* cursors (`RawCursor`, `AsyncRawCursor`), which take `$1` as the server does. An ordinary
    cursor would read every `%` in the text as a placeholder, also one inside a name or a LIKE pattern.

    Raises:
        SqlTextError: as `slots`; a slot nobody gave anything for; an identifier that cannot be one.
    """
    values, identifiers = values or {}, identifiers or {}
    parts: list[str] = []
    numbers: dict[str, int] = {}
    for token in _checked(sql):
        try:
            if token.kind == "value":
                _ = values[token.name]
                parts.append(f"${numbers.setdefault(token.name, len(numbers) + 1)}")
            elif token.kind == "identifier":
                parts.append(quoted_identifier(identifiers[token.name], encoding=encoding))
            else:
                parts.append(token.text)
        except KeyError:
            raise _error(sql, token, f"nothing was given for {token.text}") from None
        except ValueError as error:
            raise _error(sql, token, f"{token.text}: {error}") from None
    return "".join(parts).encode(encoding), tuple(values[name] for name in numbers)


def quoted_identifier(name: str, *, encoding: str = "utf-8") -> str:
    """`name` as SQL writes it whatever it holds: in double quotes, those within doubled.

    Raises:
        ValueError: empty, longer than the server's limit, or with a NUL.
    """
    if not name:
        raise ValueError("an identifier cannot be empty")
    if "\x00" in name:
        raise ValueError("an identifier cannot hold a NUL character")
    try:
        size = len(name.encode(encoding))
    except UnicodeEncodeError:
        raise ValueError(f"an identifier that {encoding} cannot write") from None
    if size > LONGEST_IDENTIFIER:
        raise ValueError(f"an identifier of {size} bytes; PostgreSQL would cut it off after {LONGEST_IDENTIFIER}")
    return '"' + name.replace('"', '""') + '"'


def statements(sql: str) -> tuple[str, ...]:
    """The statements of `sql`, without the semicolons; what holds only comments is no statement.

    A `;` separates only where psql says so: not in parentheses, nor in the `begin atomic … end` of a routine.

    Raises:
        SqlTextError: a quote or a comment that does not end.
    """
    found: list[str] = []
    begun = _Statement()
    for token in _tokens(sql):
        if token.kind == "semicolon" and begun.closed:
            found += begun.text()
            begun = _Statement()
        else:
            begun.add(token)
    return tuple(found + begun.text())


def only_statement(sql: str) -> str:
    """The one statement of `sql`.

    Raises:
        SqlTextError: none, or more than one.
    """
    found = statements(sql)
    if len(found) == 1:
        return found[0]
    if not found:
        raise SqlTextError("there is no statement here", 1, 1)
    raise SqlTextError(f"{len(found)} statements, where one is expected", 1, 1)


def command_of(sql: str) -> str:
    """The first word of the statement in lower case (`select`, `copy`, …); empty where there is none."""
    for token in _tokens(sql):
        if token.kind == "word":
            return token.text.lower()
        if token.kind not in _SILENT and token.text != "(":
            return ""
    return ""


def parameters(sql: str) -> int:
    """The highest `$N` in `sql`; 0 where there is none. Statements that the server counted have such."""
    return max((int(token.text[1:]) for token in _tokens(sql) if token.kind == "parameter"), default=0)


def words(sql: str) -> frozenset[str]:
    """The unquoted words of `sql` in lower case, keywords and names alike."""
    return frozenset(token.text.lower() for token in _tokens(sql) if token.kind == "word")


class _Statement:
    """The tokens of the statement under way, and whether a `;` would end it."""

    def __init__(self) -> None:
        self._tokens: list[_Token] = []
        self._words: list[str] = []
        self._parentheses = 0
        self._blocks = 0

    @property
    def closed(self) -> bool:
        return self._parentheses <= 0 and self._blocks == 0

    def add(self, token: _Token) -> None:
        self._tokens.append(token)
        if token.text == "(":
            self._parentheses += 1
        elif token.text == ")":
            self._parentheses -= 1
        elif token.kind == "word":
            self._word(token.text.lower())

    def text(self) -> list[str]:
        spoken = any(token.kind not in _SILENT for token in self._tokens)
        return ["".join(token.text for token in self._tokens).strip()] if spoken else []

    def _word(self, word: str) -> None:
        if len(self._words) < 4:
            self._words.append(word)
        # As psql: begin, case and end nest only in the body of a routine.
        if self._words[0] != "create" or not {"function", "procedure"}.intersection(self._words):
            return
        if word == "begin" or (word == "case" and self._blocks):
            self._blocks += 1
        elif word == "end" and self._blocks:
            self._blocks -= 1


def _checked(sql: str) -> Iterator[_Token]:
    """The tokens, none of which pastes text into the statement."""
    brackets: list[str] = []
    before = ""
    for token in _tokens(sql):
        if token.kind == "bare" and not (brackets and before not in ("[", ",")):
            # Within brackets after an expression it is an array slice: a[low:high].
            name = token.text[1:]
            raise _error(sql, token, f"bare {token.text} would paste text into the SQL; write :'{name}' or :\"{name}\"")
        if token.kind == "odd_slot":
            raise _error(sql, token, "a slot is :'NAME' or :\"NAME\", with a name of letters, digits and _")
        if token.kind == "parameter":
            raise _error(sql, token, f"{token.text}: a parameter is written :'NAME'")
        if token.text == "[":
            brackets.append(token.text)
        elif token.text == "]" and brackets:
            brackets.pop()
        if token.kind not in _SILENT:
            before = token.text
        yield token


def _tokens(sql: str) -> Iterator[_Token]:
    tokens, error = _read(sql)
    yield from tokens
    if error is not None:
        raise SqlTextError(error.message, error.line, error.column)


@lru_cache(maxsize=32)
def _read(sql: str) -> tuple[tuple[_Token, ...], SqlTextError | None]:
    """The tokens up to an error, kept for a while: one text is asked for its slots, its statements and its command."""
    found: list[_Token] = []
    try:
        found.extend(_lexed(sql))
    except SqlTextError as error:
        return tuple(found), error
    return tuple(found), None


def _lexed(sql: str) -> Iterator[_Token]:
    position = 0
    while position < len(sql):
        match = _LEXER.match(sql, position)
        assert match is not None  # the last alternative takes anything
        token = _Token(str(match.lastgroup), match.group(), position)
        if token.kind in _REACHING:
            token = token._replace(text=sql[position : _end_of(sql, token)])
        yield token
        position += len(token.text)


_REACHING = frozenset({"block_comment", "dollar", "unclosed"})
"""What begins something whose end has to be looked for."""


def _end_of(sql: str, opening: _Token) -> int:
    if opening.kind == "block_comment":
        return _end_of_comment(sql, opening)
    if opening.kind == "unclosed":
        raise _error(sql, opening, "a quote that does not end")
    found = sql.find(opening.text, opening.start + len(opening.text))
    if found < 0:
        raise _error(sql, opening, f"the text that {opening.text} opens does not end")
    return found + len(opening.text)


def _end_of_comment(sql: str, opening: _Token) -> int:
    depth = 0
    for match in re.compile(r"/\*|\*/").finditer(sql, opening.start):
        depth += 1 if match.group() == "/*" else -1
        if depth == 0:
            return match.end()
    raise _error(sql, opening, "a comment that does not end")


def _error(sql: str, token: _Token, message: str) -> SqlTextError:
    return SqlTextError(message, *_position(sql, token.start))


def _position(sql: str, offset: int) -> tuple[int, int]:
    line_start = sql.rfind("\n", 0, offset) + 1
    return sql.count("\n", 0, offset) + 1, offset - line_start + 1
