"""What terminals that know fewer colours or characters are shown."""

import re
from contextlib import ExitStack
from pathlib import Path

from tests.faults import FaultServer
from tests.terminal.seat import keys_site
from tests.terminal.site import Site


def look(site: Site, **env: str) -> tuple[str, bytes]:
    """The text of a console that has painted and settled, and its bytes."""
    with ExitStack() as stack:
        terminal = stack.enter_context(site.console(columns=100, lines=30, **env))
        terminal.wait_for("Alpha +.*30(.|\n)*job29")
        terminal.press("tab")
        terminal.settle(0.3, 2.0)
        return terminal.text(), bytes(terminal.raw)


COLOUR = re.compile(rb"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;\d+)*m")


def test_without_colour_there_is_none(server: FaultServer, tmp_path: Path) -> None:
    text, raw = look(keys_site(tmp_path, server.url), NO_COLOR="1")
    assert "CRIT" in text or "OK" in text
    assert not COLOUR.search(raw)


def test_sixteen_colours_are_enough(server: FaultServer, tmp_path: Path) -> None:
    text, raw = look(keys_site(tmp_path, server.url), TERM="xterm", COLORTERM="")
    assert "● OK" in text
    assert not re.search(rb"\x1b\[[\d;]*[34]8;[25];", raw)
    assert COLOUR.search(raw)


def test_an_ascii_terminal_gets_ascii(server: FaultServer, tmp_path: Path) -> None:
    text, raw = look(keys_site(tmp_path, server.url), LANG="C", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert "* OK" in text
    assert raw.isascii(), {byte for byte in raw if byte > 127}
