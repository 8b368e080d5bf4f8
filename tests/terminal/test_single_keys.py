"""No single key destroys."""

import string
from pathlib import Path

import pytest

from bench.terminal import KEYS
from tests.faults import FaultServer
from tests.terminal.seat import ESC, FIX, keys_site
from tests.terminal.supervisors import ended_supervisors

SINGLE = [*(set(string.printable) - set("\t\n\r\x0b\x0c ")), *KEYS.values(), *map(chr, range(1, 27)), "\x1b[3~",
          "\x1b[2~", *(f"\x1b[{number}~" for number in (11, 12, 13, 14, 15, 17, 18, 19, 20, 21, 23, 24))]  # fmt: skip
SAFE_ENDS = {"q", "\x03"}


@pytest.mark.parametrize("where", ["1", "9", "?", "b"])
def test_no_single_key_destroys_anything(server: FaultServer, tmp_path: Path, where: str) -> None:
    site = keys_site(tmp_path, server.url, mode="guarded")
    book = FIX.replace('"name":"look","risk":"read"', '"name":"look","risk":"destructive","confirm":"type:NAME"')
    site.write("runbooks/fix.md", book.replace("seq 1 200;", "touch destroyed;"))
    with ended_supervisors(site.state), site.console(columns=100, lines=40) as terminal:
        terminal.wait_for("Alpha +.*30(.|\n)*job29")
        for key in SINGLE:
            if key in SAFE_ENDS or (key.isdigit() and where == "b"):
                continue
            # Each key meets the place as it was opened: what the one before it asked is left by escape.
            terminal.press(ESC, ESC, *(() if where == "b" and key != SINGLE[0] else ("1", where)), key)
            terminal.pump(0.02)
        terminal.press(ESC, ESC, ESC)
        terminal.settle(0.5, 5.0)
        terminal.press("?")
        terminal.wait_for("Keys|Fix it|Main", 5)
        assert terminal.exit_status is None
    assert not (tmp_path / "runbooks" / "destroyed").exists()
    assert not (tmp_path / "runbooks" / "changed").exists()
    assert not list(site.state.glob("logs/*")), [path.read_text() for path in site.state.glob("logs/*")]
    done = [entry for entry in site.ask("audit", "list") if entry["outcome"] == "ok" and entry["action"] != "note"]
    assert done == []
