"""Somebody at the keyboard, before a Prometheus whose thirty jobs stand still."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from bench.terminal import KEYS, Terminal
from tests.faults import FaultServer, Request, success
from tests.terminal.site import Site

ESC = "\x1b[27u"
"""Escape as terminals send it that know the keyboard protocol: never taken for the beginning of alt+key."""
SOON = 20.0
JOBS = [f"job{number}" for number in range(30)]

FIX = """\
---
runbook: 1
id: fix
title: Fix it
params: {NAME: {default: nobody, from_label: job}}
---
## Look
```sh {"name":"look","risk":"read","timeout":"20s"}
seq 1 200; echo "looking at $NAME"
```
## Change
```sh {"name":"change","risk":"write","timeout":"20s","undo":"restore"}
touch changed
```
```sh {"name":"restore","risk":"write","timeout":"20s"}
rm changed
```
- [ ] Tell them
- [ ] Tell the others
"""


def answer(request: Request) -> tuple[int, str, bytes]:
    """The same numbers at every moment: the number of each job, but to a filter by a variable."""
    form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
    wanted = re.search(r'job=~"([^"]*)"', form.get("query", ""))
    known = [job for job in JOBS if wanted is None or re.fullmatch(wanted[1], job)]
    if "start" in form:
        start, end, step = (float(form[key]) for key in ("start", "end", "step"))
        points: list[Any] = [[start + turn * step, "1"] for turn in range(int((end - start) / step) + 1)]
        found: list[Any] = [{"metric": {"job": job}, "values": points} for job in known[:3]]
        return 200, "application/json", success({"resultType": "matrix", "result": found})
    now = time.time()
    found = [{"metric": {"job": job}, "value": [now, job.removeprefix("job")]} for job in known]
    return 200, "application/json", success({"resultType": "vector", "result": found})


def keys_site(folder: Path, url: str, mode: str = "open") -> Site:
    site = Site(folder, url, mode=mode)
    pane = {"query": 'm{job=~"$job"}', "legend": "{{job}}", "thresholds": [{"above": 1000, "state": "CRIT"}]}
    alpha = {**pane, "id": "alpha", "title": "Alpha", "kind": "bars", "rows": 8, "runbook": "fix"}
    beta = {**pane, "id": "beta", "title": "Beta", "kind": "status", "rows": 8,
            "drill": {"screen": "other", "variables": {"job": "job"}}}  # fmt: skip
    gamma = {**pane, "id": "gamma", "title": "Gamma", "kind": "timeseries", "rows": 12}
    delta = {**pane, "id": "delta", "title": "Delta", "kind": "bars", "rows": 12}
    variables = {"job": {"title": "Job", "query": "label_values(m, job)", "multi": True, "default": "all"}}
    site.screen("main", [alpha, beta, gamma, delta], order=1, variables=variables, refresh="1m")
    site.screen("other", [{**beta, "id": "b2", "title": "Second"}], order=2, variables=variables, refresh="1m")
    site.write("runbooks/fix.md", FIX)
    return site


@dataclass
class Seat:
    """Somebody at the keyboard."""

    terminal: Terminal
    site: Site
    server: FaultServer

    def press(self, *keys: str) -> None:
        self.terminal.press(*(ESC if key == "escape" else KEYS.get(key, key) for key in keys))

    def sees(self, pattern: str) -> None:
        self.terminal.wait_for(pattern, SOON)

    def sees_no(self, pattern: str) -> None:
        self.terminal.wait_gone(pattern, SOON)

    def until(self, look: "Callable[[], object]", wanted: object) -> None:
        self.terminal.wait_until(lambda: look() == wanted, SOON, f"{wanted!r}, now {look()!r}")

    def focused(self) -> str:
        """The title that is underlined below the tabs: of the pane with the focus."""
        lines = range(3, self.terminal.lines)
        cells = [self.terminal.screen.buffer[y][x] for y in lines for x in range(self.terminal.columns)]
        return "".join(cell.data for cell in cells if cell.underscore).strip()

    def selected(self) -> str:
        """The first word of what the cursor is on."""
        for y in range(3, self.terminal.lines):
            row = self.terminal.screen.buffer[y]
            marked = "".join(row[x].data for x in range(self.terminal.columns) if row[x].bg == "2d4f73")
            if found := re.search(r"job\d+", marked):
                return found[0]
        return ""

    def hints(self) -> str:
        return self.terminal.text().rpartition("\n")[2]
