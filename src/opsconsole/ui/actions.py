"""Every key the console answers to: one table that feeds dispatch, hints, help, palette and user keymaps.

A key is written as it is typed (`?`, `B`, `+`) or, where nothing is typed, by name (`enter`, `shift+tab`,
`ctrl+p`). An action is carried out by the method `do_ID` (dashes as underscores) of the view on screen or, where
the view has none, of the console.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from opsconsole.core.problem import nearest


class Place(StrEnum):
    """What is on screen when a key arrives."""

    DASHBOARD = "dashboard"
    RUNBOOKS = "runbooks"
    WORKBENCH = "workbench"
    PIPELINES = "pipelines"
    SLAS = "slas"
    ERRORS = "errors"
    ALERTS = "alerts"
    ALERT = "alert"
    LOG = "log"
    RUN = "run"
    DETAIL = "detail"
    HELP = "help"


EVERYWHERE = frozenset(Place)
_DASHBOARD = frozenset({Place.DASHBOARD})
_RUN = frozenset({Place.RUN})
_WORKBENCH = frozenset({Place.WORKBENCH})
_PIPELINES = frozenset({Place.PIPELINES})
_ERRORS = frozenset({Place.ERRORS})
_LOG = frozenset({Place.LOG})
_ALERTS = frozenset({Place.ALERTS})
_ANY_ALERT = _ALERTS | {Place.ALERT}
_SLAS = frozenset({Place.SLAS})
_CHANGING = _WORKBENCH | _PIPELINES | _ERRORS | _ALERTS
"""Pages with something to do about a row."""
_PAGES = _CHANGING | _SLAS
_LISTS = frozenset({Place.DASHBOARD, Place.RUNBOOKS}) | _PAGES
_LIVE = _DASHBOARD | _PAGES
_NOT_RUN = EVERYWHERE - _RUN

FORBIDDEN_KEYS = frozenset({"ctrl+a", "ctrl+b", "ctrl+s", "ctrl+q"})
"""Taken by screen, tmux and terminal flow control: they would not arrive, or would freeze the terminal."""


@dataclass(frozen=True, slots=True)
class KeyAction:
    """One thing that a key does."""

    id: str
    keys: tuple[str, ...]
    """Default keys, the first of which is shown; none: reachable from the palette and the `:` line only."""
    title: str
    group: str
    """Heading in the help."""
    where: frozenset[Place] = EVERYWHERE
    hint: str = ""
    """Word in the key line at the bottom; empty: only in the help."""


SCREEN_KEYS = "123456789"

_ACTIONS = (
    # The order is the order of hints and help.
    KeyAction("open", ("enter",), "Open what is selected", "Look", _LISTS, hint="open"),
    KeyAction(
        "runbook",
        ("b",),
        "Runbook for what is selected, its parameters filled in",
        "Act",
        _DASHBOARD | _PIPELINES | _ERRORS | _ANY_ALERT | _SLAS | _LOG | {Place.DETAIL},
        hint="runbook",
    ),
    KeyAction("acknowledge", ("a",), "Say that somebody is on it (asks first)", "Act", _ANY_ALERT, hint="ack"),
    KeyAction("silence", ("S",), "A new silence, of any matchers (asks first)", "Act", _ALERTS, hint="new silence"),
    KeyAction(
        "fix", ("x",), "Do something about what is selected (asks first)", "Act", _CHANGING | {Place.ALERT}, hint="fix"
    ),
    KeyAction("follow", ("f",), "To the DAG, the table or the pane that it is about", "Look", _ANY_ALERT, hint="go to"),
    KeyAction("mark", ("space",), "Mark the row, for one action on several", "Act", _CHANGING, hint="mark"),
    KeyAction("mark-range", ("M",), "Mark all from the last mark to here", "Act", _CHANGING),
    KeyAction("mark-all", ("*",), "Mark all that are shown, or none of them", "Act", _CHANGING),
    KeyAction("next-page", ("tab", "right", "l"), "Next page", "Move", _PAGES, hint="page"),
    KeyAction("previous-page", ("shift+tab", "left", "h"), "Previous page", "Move", _PAGES),
    KeyAction("explain", ("e",), "Plan of the statement, which is not run", "Look", _WORKBENCH),
    KeyAction("next-database", ("d",), "The next database of this environment", "Move", _WORKBENCH),
    KeyAction("sort", ("s",), "Sort by the next column that tells something", "Look", _PAGES, hint="sort"),
    KeyAction("group", ("v",), "The next form: grouped, or over another time", "Look", _PAGES, hint="view"),
    KeyAction("details", ("i",), "All there is to say about the row", "Look", _PIPELINES | _ALERTS, hint="details"),
    KeyAction("origin", ("o",), "Where the error comes from: log, database, metrics", "Look", _ERRORS, hint="origin"),
    KeyAction("mute", ("m",), "The error is known: not new for a while, and back", "Act", _ERRORS, hint="mute"),
    KeyAction("previous-try", ("left", "h"), "The try before", "Move", _LOG, hint="other try"),
    KeyAction("whole-lines", ("enter", "z"), "The lines in view, none of them cut", "Look", _LOG, hint="whole lines"),
    KeyAction("next-try", ("right", "l"), "The try after", "Move", _LOG),
    KeyAction("zoom", ("z",), "Zoom the pane, and back", "Look", _DASHBOARD, hint="zoom"),
    KeyAction("time-range", ("t",), "Time range of all panes", "Time", _DASHBOARD, hint="range"),
    KeyAction("filter", ("/",), "Show only what matches (! excludes)", "Look", _LISTS | _LOG, hint="filter"),
    KeyAction("last-error", ("e",), "Last error of this pane", "Look", _DASHBOARD),
    KeyAction("next-pane", ("tab",), "Next pane", "Move", _DASHBOARD),
    KeyAction("previous-pane", ("shift+tab",), "Previous pane", "Move", _DASHBOARD),
    KeyAction("up", ("up", "k"), "Up", "Move", _NOT_RUN),
    KeyAction("down", ("down", "j"), "Down", "Move", _NOT_RUN),
    KeyAction("left", ("left", "h"), "Left: the pane beside, or earlier on a chart", "Move", _DASHBOARD),
    KeyAction("right", ("right", "l"), "Right: the pane beside, or later on a chart", "Move", _DASHBOARD),
    KeyAction("page-up", ("pageup",), "One page up", "Move", EVERYWHERE),
    KeyAction("page-down", ("pagedown",), "One page down", "Move", EVERYWHERE),
    KeyAction("page-on", ("space",), "One page down", "Move", EVERYWHERE - _CHANGING),
    KeyAction("top", ("home", "g"), "To the top", "Move", EVERYWHERE),
    KeyAction("bottom", ("end", "G"), "To the end", "Move", EVERYWHERE),
    KeyAction("earlier", ("[",), "Step back in time", "Time", _DASHBOARD),
    KeyAction("later", ("]",), "Step forward in time, to now in the end", "Time", _DASHBOARD),
    KeyAction("closer", ("+", "="), "Shorter time range", "Time", _DASHBOARD),
    KeyAction("wider", ("-",), "Longer time range", "Time", _DASHBOARD),
    KeyAction("refresh", ("r",), "Read again now", "Look", _LIVE | _LOG | {Place.ALERT}),
    KeyAction("pause", ("p",), "Pause and continue reading", "Look", _LIVE),
    KeyAction("workbench", ("w",), "Workbench of the database behind this pane", "Look", _DASHBOARD),
    KeyAction("variable", ("v",), "Change a variable of this screen", "Look", _DASHBOARD),
    KeyAction("copy", ("y",), "Copy the pane's text (or save it, where the terminal cannot)", "Look", _DASHBOARD),
    # A run: each key is about the step that is shown. None of them starts anything that has to be confirmed.
    KeyAction("run-step", ("enter",), "Run the step (asks first where it changes something)", "Act", _RUN, hint="run"),
    KeyAction("skip-step", ("s",), "Skip the step, with a reason", "Act", _RUN, hint="skip"),
    KeyAction("retry-step", ("r",), "Run the step again", "Act", _RUN, hint="retry"),
    KeyAction("dry-run-step", ("d",), "Show what would run, and run nothing", "Act", _RUN, hint="dry run"),
    KeyAction(
        "mark-step", ("m",), "Manual step, or one whose end is unknown: done, not done, not applicable", "Act", _RUN
    ),
    KeyAction("jump-step", ("j",), "Jump to a step", "Move", _RUN, hint="jump"),
    KeyAction("scroll-up", ("up",), "Scroll the output up", "Move", _RUN),
    KeyAction("scroll-down", ("down",), "Scroll the output down", "Move", _RUN),
    KeyAction("verify-step", ("v",), "Run what verifies the step (or the last one that has it)", "Act", _RUN),
    KeyAction("step-text", ("z",), "The whole step: prose, command, attributes", "Look", _RUN),
    KeyAction("edit-params", ("e",), "Change the parameters, before the run begins", "Act", _RUN),
    KeyAction("undo-step", ("u",), "Undo the last step that can be undone (asks first)", "Act", _RUN),
    KeyAction("roll-back", ("b",), "Roll back: undo all that was tried, the latest first (asks first)", "Act", _RUN),
    KeyAction("cancel-step", ("c",), "Stop the running step (asks first)", "Act", _RUN),
    KeyAction("abort-run", ("!",), "Abort the run (asks first)", "Act", _RUN),
    KeyAction("take-over", ("t",), "Drive a run that somebody else drives (asks first)", "Act", _RUN),
    KeyAction("hand-over", ("h",), "Hand the run over, with a word to whoever drives it next", "Act", _RUN),
    KeyAction("pause-run", ("p",), "Pause: go, and let the run wait, its lock kept", "Move", _RUN),
    KeyAction("leave-run", ("q",), "Leave; the run stays and can be resumed", "Move", _RUN, hint="leave"),
    KeyAction("back-to-run", ("0",), "Back to the run that is going on", "Move", _NOT_RUN),
    KeyAction("note", ("n",), "Note to the timeline", "Act", EVERYWHERE),
    KeyAction("command", (":",), "Command line", "Console", EVERYWHERE, hint="command"),
    KeyAction("palette", ("ctrl+p",), "Palette of everything that can be done here", "Console"),
    KeyAction("help", ("?",), "Keys of this screen", "Console", EVERYWHERE, hint="keys"),
    KeyAction("back", ("escape",), "Back", "Move", EVERYWHERE),
    KeyAction("next-theme", (), "Next theme: dark, light, ansi, high-contrast, none", "Console"),
    KeyAction("quit", ("q", "ctrl+c"), "Quit", "Console", _NOT_RUN, hint="quit"),
    *(KeyAction(f"screen-{digit}", (digit,), f"Screen {digit}", "Move", EVERYWHERE) for digit in SCREEN_KEYS),
)


@dataclass(frozen=True, slots=True)
class KeyProblem:
    """Why a user's keymap is not followed in one point."""

    action: str
    message: str


class Registry:
    """The actions with the keys that hold for this user."""

    def __init__(self, remapped: Mapping[str, Iterable[str]] | None = None) -> None:
        """`remapped` maps action ids to the keys that replace the default ones.

        What cannot be followed (an unknown action, a forbidden key, a clash) is in `problems`; the default
        stays for it, so that no keymap can lock the operator out.
        """
        self.problems: list[KeyProblem] = []
        self._actions = {action.id: action for action in _ACTIONS}
        for action_id, keys in (remapped or {}).items():
            self._remap(action_id, tuple(keys))

    def __iter__(self) -> Iterator[KeyAction]:
        return iter(self._actions.values())

    def __getitem__(self, action_id: str) -> KeyAction:
        return self._actions[action_id]

    def at(self, place: Place) -> list[KeyAction]:
        """What can be done at `place`, in the table's order."""
        return [action for action in self if place in action.where]

    def find(self, key: str, place: Place) -> KeyAction | None:
        """The action that `key` means at `place`."""
        return next((action for action in self.at(place) if key in action.keys), None)

    def key(self, action_id: str) -> str:
        """The key to show for an action; empty where it has none."""
        keys = self._actions[action_id].keys
        return key_text(keys[0]) if keys else ""

    def _remap(self, action_id: str, keys: tuple[str, ...]) -> None:
        action = self._actions.get(action_id)
        if action is None:
            self.problems.append(KeyProblem(action_id, f"no such action{nearest(action_id, self._actions)}"))
            return
        allowed: list[str] = []
        for key in keys:
            holder = self._holder(key, action)
            if key in FORBIDDEN_KEYS:
                self.problems.append(KeyProblem(action_id, f"{key} is taken by terminals and multiplexers"))
            elif holder is not None:
                self.problems.append(KeyProblem(action_id, f"{key} already means {holder.id}; remap that first"))
            else:
                allowed.append(key)
        if allowed or not keys:
            self._actions[action_id] = replace(action, keys=tuple(allowed))

    def _holder(self, key: str, action: KeyAction) -> KeyAction | None:
        """Who has `key` already, somewhere where `action` needs it."""
        others = (other for other in self if other.id != action.id and other.where & action.where)
        return next((other for other in others if key in other.keys), None)


_SHOWN = {"escape": "esc", "space": "space", "pageup": "pgup", "pagedown": "pgdn"}


def key_text(key: str) -> str:
    """A key as hints and help write it: `esc`, `pgup`, `ctrl+p`, `?`."""
    return _SHOWN.get(key, key)


def key_name(name: str, character: str | None) -> str:
    """The registry's spelling of a key event: what was typed, else the terminal library's name for it."""
    if character is not None and character.isprintable() and not character.isspace():
        return character
    return name
