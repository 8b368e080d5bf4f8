"""The `:` line: `:screen health`, `:db locks`, `:env staging`, `:rb restart svc=energy-service`, `:range 6h`, `:q`.

Parsing and completion are pure. What there is to complete from is asked of a `World`; what a command then
does is the console's business.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from opsconsole.core.problem import nearest
from opsconsole.ui.families import FAMILIES


class World(Protocol):
    """What is really there, for completion and for matching."""

    def screens(self) -> Sequence[tuple[str, str]]: ...  # (id, title)
    def environments(self) -> Sequence[str]: ...
    def runbooks(self) -> Sequence[tuple[str, str]]: ...  # (id, title)
    def parameters(self, runbook: str) -> Sequence[str]: ...
    def variables(self) -> Sequence[str]: ...
    def values(self, variable: str) -> Sequence[str]: ...
    def themes(self) -> Sequence[str]: ...
    def pages(self) -> Sequence[tuple[str, str]]: ...  # (id, title) of the workbench
    def family_pages(self, family: str) -> Sequence[tuple[str, str]]: ...  # (id, title)
    def databases(self) -> Sequence[str]: ...


class CommandError(Exception):
    """A line that cannot be followed; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class Command:
    """A line understood. `name` is one of COMMANDS; `argument` is the thing it is about, in full."""

    name: str
    argument: str = ""
    params: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Completion:
    """One way the line could go on."""

    line: str
    """The whole line, completed."""
    title: str = ""


@dataclass(frozen=True, slots=True)
class _Spec:
    name: str
    help: str
    usage: str
    aliases: tuple[str, ...] = field(default=())


_SPECS = (
    _Spec("screen", "go to a screen", "screen NAME", ("s",)),
    _Spec("rb", "open a runbook, parameters filled in", "rb NAME [PARAM=VALUE ...]", ("runbook", "runbooks")),
    _Spec("db", "workbench of a database", "db [PAGE] [DATABASE]", ("database",)),
    *(_Spec(one.name, one.help, f"{one.name} [PAGE]", one.aliases) for one in FAMILIES.values()),
    _Spec("baseline", "keep what statements cost until now, to compare with", "baseline NAME"),
    _Spec("env", "switch to another environment", "env NAME", ("environment",)),
    _Spec("set", "set a variable of this screen", "set NAME VALUE", ("var",)),
    _Spec("range", "time range: 15m, 6h, 2d, or FROM to TO", "range SPAN", ("time",)),
    _Spec("theme", "change the colours", "theme NAME", ("colors", "colours")),
    _Spec("note", "write a note to the timeline", "note TEXT", ()),
    _Spec("filter", "show only what matches", "filter TEXT", ()),
    _Spec("help", "keys of this screen", "help", ("h", "?")),
    _Spec("pause", "stop reading, and go on", "pause", ()),
    _Spec("refresh", "read again now", "refresh", ()),
    _Spec("quit", "leave", "quit", ("q", "exit", "qa", "q!", "wq", "x")),
)
COMMANDS = {spec.name: spec.help for spec in _SPECS}
_NAMES = {word: spec for spec in _SPECS for word in (spec.name, *spec.aliases)}
_FREE_TEXT = frozenset({"baseline", "note", "filter", "range"})
_PARAM = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)


def parse(line: str, world: World) -> Command:
    """The command in `line` (without the colon). A word that is no command is taken for a screen: `:res`.

    Raises:
        CommandError: for what is not understood, naming the nearest.
    """
    word, _, rest = line.strip().partition(" ")
    rest = rest.strip()
    spec = _NAMES.get(word)
    if spec is None:
        screen = match(word, world.screens())
        if screen is None:
            raise CommandError(f"no command or screen {word!r}{_suggest(word, world)}")
        return Command("screen", screen)
    if spec.name in _FREE_TEXT:
        return Command(spec.name, rest)
    return _parsed(spec, rest, world)


def _parsed(spec: _Spec, rest: str, world: World) -> Command:
    match spec.name:
        case "screen":
            return Command("screen", _one_of(rest, world.screens(), "screen"))
        case "env":
            return Command("env", _one_of(rest, [(name, name) for name in world.environments()], "environment"))
        case "theme":
            return Command("theme", _one_of(rest, [(name, name) for name in world.themes()], "theme"))
        case "rb":
            return _runbook(rest, world)
        case "db":
            return _workbench(rest, world)
        case family if family in FAMILIES:
            return Command(family, _one_of(rest, world.family_pages(family), "page") if rest else "")
        case "set":
            name, _, value = rest.replace("=", " ", 1).partition(" ")
            known = _one_of(name, [(variable, variable) for variable in world.variables()], "variable")
            return Command("set", known, ((known, value.strip()),))
    return Command(spec.name, rest)


def _runbook(rest: str, world: World) -> Command:
    if not rest:
        return Command("rb")
    words = _words(rest)
    runbook = _one_of(words[0], world.runbooks(), "runbook")
    names = [(name, name) for name in world.parameters(runbook)]
    params: list[tuple[str, str]] = []
    for word in words[1:]:
        found = _PARAM.fullmatch(word)
        if found is None:
            raise CommandError(f"{word!r} is not PARAM=VALUE")
        params.append((_one_of(found[1], names, "parameter"), found[2]))
    return Command("rb", runbook, tuple(params))


def _workbench(rest: str, world: World) -> Command:
    """`db locks app`, `db locks`, `db app`: a word that is no page is a database."""
    first, second, *more = [*rest.split(), "", ""]
    if any(more):
        raise CommandError("a page and a database at most: db [PAGE] [DATABASE]")
    databases = [(name, name) for name in world.databases()]
    if not databases:
        raise CommandError("no database is configured in this environment")
    if first and not second and match(first, world.pages()) is None and match(first, databases) is not None:
        first, second = "", first
    page = _one_of(first, world.pages(), "page") if first else ""
    database = _one_of(second, databases, "database") if second else ""
    return Command("db", page, (("database", database),) if database else ())


def _words(text: str) -> list[str]:
    """Words split at spaces; quotes keep spaces together. Nothing else is special: values stay as typed."""
    return [
        "".join(quoted or plain for quoted, plain in re.findall(r'"([^"]*)"|([^\s"]+)', word))
        for word in re.findall(r'(?:"[^"]*"|[^\s"])+', text)
    ]


def _one_of(wanted: str, known: Sequence[tuple[str, str]], what: str) -> str:
    found = match(wanted, known)
    if found is None:
        listing = ", ".join(name for name, _ in known[:8]) or "none"
        raise CommandError(f"no {what} {wanted!r}{nearest(wanted, [name for name, _ in known])}; there is: {listing}")
    return found


def _suggest(word: str, world: World) -> str:
    return nearest(word, [*_NAMES, *(name for name, _ in world.screens())])


def match(wanted: str, known: Iterable[tuple[str, str]]) -> str | None:
    """The id in `known` (pairs of id and title) that `wanted` means.

    Exactly, else the beginning of a word of it, else letters in order; of several equally good ones the
    first. `health` means `system-health`, `svc` means `SERVICE`.
    """
    ranked = ranking(wanted, known)
    return ranked[0] if ranked else None


def ranking(wanted: str, known: Iterable[tuple[str, str]]) -> list[str]:
    """The ids in `known` that `wanted` could mean, best first; all of them for nothing."""
    scored = [
        (score, place, name) for place, (name, title) in enumerate(known) if (score := _score(wanted, name, title))
    ]
    return [name for _, _, name in sorted(scored, key=lambda one: (-one[0], one[1]))]


def _score(wanted: str, name: str, title: str) -> int:
    needle, key, words = wanted.lower(), name.lower(), re.split(r"[^a-z0-9]+", f"{name} {title}".lower())
    if not needle:
        return 1
    if needle == key:
        return 6
    if key.startswith(needle):
        return 5
    if any(word.startswith(needle) for word in words):
        return 4
    if needle in key or needle in title.lower():
        return 3
    letters = iter(key)
    return 2 if key[:1] == needle[:1] and all(letter in letters for letter in needle) else 0


def completions(line: str, world: World) -> list[Completion]:
    """What `line` (without the colon) could become, best first."""
    word, space, rest = line.lstrip().partition(" ")
    if not space:
        names = [(spec.name, spec.help) for spec in _SPECS] + list(world.screens())
        titles = dict(names)
        return [Completion(name, titles[name]) for name in ranking(word, [(name, name) for name, _ in names])]
    spec = _NAMES.get(word)
    if spec is None:
        return []
    return _arguments(spec.name, word, rest.lstrip(), world)


def _arguments(name: str, word: str, rest: str, world: World) -> list[Completion]:
    match name:
        case "screen":
            return _listed(word, rest, world.screens())
        case "env":
            return _listed(word, rest, [(one, "") for one in world.environments()])
        case "theme":
            return _listed(word, rest, [(one, "") for one in world.themes()])
        case "db":
            page, space, database = rest.partition(" ")
            if space:
                return _listed(f"{word} {page}", database, [(one, "") for one in world.databases()])
            return _listed(word, page, world.pages())
        case family if family in FAMILIES:
            return _listed(word, rest, world.family_pages(family))
        case "rb":
            return _runbook_completions(word, rest, world)
        case "set":
            return _variable_completions(word, rest, world)
        case "range":
            return _listed(word, rest, [(one, "") for one in ("15m", "1h", "3h", "6h", "12h", "1d", "7d", "30d")])
    return []


def _listed(word: str, rest: str, known: Sequence[tuple[str, str]]) -> list[Completion]:
    titles = dict(known)
    return [Completion(f"{word} {name}", titles[name]) for name in ranking(rest, known)]


def _runbook_completions(word: str, rest: str, world: World) -> list[Completion]:
    wanted, space, params = rest.partition(" ")
    if not space:
        return _listed(word, wanted, world.runbooks())
    runbook = match(wanted, world.runbooks())
    before, _, last = f"{word} {rest}".rpartition(" ")
    if runbook is None or "=" in last:
        return []
    given = {found[1] for found in map(_PARAM.fullmatch, params.split()) if found}
    names = [(name, name) for name in world.parameters(runbook) if name not in given]
    return [Completion(f"{before} {name}=") for name in ranking(last, names)]


def _variable_completions(word: str, rest: str, world: World) -> list[Completion]:
    name, space, value = rest.partition(" ")
    if not space:
        return [Completion(f"{word} {one}") for one in ranking(name, [(one, one) for one in world.variables()])]
    if name not in world.variables():
        return []
    return [Completion(f"{word} {name} {one}") for one in ranking(value, [(one, one) for one in world.values(name)])]
