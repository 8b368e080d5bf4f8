"""Where the console keeps what it must not lose, and what it can make again."""

import os
import stat
from pathlib import Path


def state_dir() -> Path:
    """The folder for runs, incidents and the journal, made with mode 0700.

    `$OPSCONSOLE_STATE`, else `$XDG_STATE_HOME/opsconsole`, else `~/.local/state/opsconsole`.

    Raises:
        PermissionError: when others may write to it; a journal there would prove nothing.
    """
    named = os.environ.get("OPSCONSOLE_STATE")
    base = Path(named) if named else _xdg("XDG_STATE_HOME", ".local/state") / "opsconsole"
    base.mkdir(parents=True, exist_ok=True, mode=0o700)
    if stat.S_IMODE(base.stat().st_mode) & 0o022:
        raise PermissionError(f"{base} can be written by others; run: chmod 700 {base}")
    return base


def cache_dir() -> Path:
    """The folder for downloads that can be fetched again: `$XDG_CACHE_HOME/opsconsole`."""
    base = _xdg("XDG_CACHE_HOME", ".cache") / "opsconsole"
    base.mkdir(parents=True, exist_ok=True)
    return base


def config_home() -> Path:
    """`$XDG_CONFIG_HOME/opsconsole`; not created."""
    return _xdg("XDG_CONFIG_HOME", ".config") / "opsconsole"


def _xdg(variable: str, fallback: str) -> Path:
    named = os.environ.get(variable)
    return Path(named) if named else Path.home() / fallback
