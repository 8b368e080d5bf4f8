"""A small configuration of a test's own: its sources, its screens, its runbooks, in one folder.

site = Site(tmp_path, prometheus=server.url, databases={"app": dsn})
site.screen("both", panes=[...])
with site.console() as terminal: ...
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.terminal import Terminal

CONSOLE = (sys.executable, "-m", "opsconsole.cli.main")


def as_yaml(content: object) -> str:
    """`content` in one line of YAML: JSON, but for characters beyond U+FFFF, which JSON escapes in two halves."""
    text = json.dumps(content, ensure_ascii=False)
    return "".join(one if " " <= one <= "~" else f"\\U{ord(one):08x}" for one in text)


@dataclass
class Site:
    """The files of one environment called `test`, and the commands run on it."""

    folder: Path
    prometheus: Mapping[str, Any] | str | None = None
    databases: Mapping[str, str] = field(default_factory=dict)
    """Name -> DSN."""
    mode: str = "open"
    more: Mapping[str, Any] = field(default_factory=dict)
    """What else stands in the environment: `services`, `env`, a `timeout`."""
    env: dict[str, str] = field(default_factory=dict)
    """Environment variables of every command."""

    def __post_init__(self) -> None:
        for name in ("screens", "runbooks"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        environment: dict[str, Any] = {"mode": self.mode, "screens": "screens", "runbooks": "runbooks", **self.more}
        if self.prometheus is not None:
            known = {"url": self.prometheus} if isinstance(self.prometheus, str) else self.prometheus
            environment["prometheus"] = dict(known)
        if self.databases:
            environment["postgres"] = {name: {"dsn": dsn} for name, dsn in self.databases.items()}
        self.write("opsconsole.yaml", {"version": 1, "environments": {"test": environment}})

    def write(self, name: str, content: object) -> None:
        """A file: text as it is, anything else as YAML."""
        (self.folder / name).write_text(content if isinstance(content, str) else as_yaml(content))

    def screen(self, name: str, panes: Sequence[Mapping[str, Any]], **more: object) -> None:
        """A screen with these panes; `refresh` is one second where nothing else is said."""
        head = {"screen": 1, "id": name, "title": name.title(), "refresh": "1s", "columns": 2}
        self.write(f"screens/{name}.yaml", {**head, **more, "panes": list(panes)})

    @property
    def state(self) -> Path:
        """The state folder."""
        return self.folder / "state"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that name this site."""
        named = {"OPSCONSOLE_CONFIG": str(self.folder / "opsconsole.yaml"), "OPSCONSOLE_STATE": str(self.state)}
        return {**named, **self.env}

    def console(self, *arguments: str, columns: int = 120, lines: int = 40, **env: str) -> Terminal:
        """The console, opened; a context manager."""
        environment = {**self.environment, **env}
        return Terminal((*CONSOLE, *arguments), columns=columns, lines=lines, env=environment)

    def ask(self, *arguments: str) -> Any:
        """What a command answers with `--format json`."""
        import os

        said = subprocess.run(
            [*CONSOLE, *arguments, "--format", "json"],
            env={**os.environ, **self.environment}, capture_output=True, check=True, timeout=30,
        )  # fmt: skip
        return json.loads(said.stdout)
