"""Text that an attacker can put where the console reads, and the proof that none of it reached the terminal."""

import codecs
import re
import unicodedata
from collections.abc import Iterable, Mapping
from types import MappingProxyType

ATOMS: Mapping[str, str] = MappingProxyType({
    "clipboard": "\x1b]52;c;aGFja2Vk\x07",
    "title": "\x1b]0;pwned\x07",
    "title-st": "\x1b]2;pwned\x1b\\",
    "link": "\x1b]8;;http://evil.example\x1b\\",
    "colour": "\x1b[5;31;45m",
    "cursor": "\x1b[7;7H\x1b[3J\x1b[9A",
    "mode": "\x1b[?1047h\x1b[?9h\x1bc",
    "ask-back": "\x1b[6n\x1b[c\x1b[21t",
    "dcs": '\x1bP$q"p\x1b\\',
    "apc": "\x1b_Gf=100;AAAA\x1b\\",
    "c1-csi": "\x9b31m\x9b2J",
    "c1-osc": "\x9d0;pwned\x9c",
    "c1-dcs": "\x90q\x9c",
    "controls": "\a\b\v\f\x0e\x0f\x7f\x1a",
    "lines": "a\nb\tc\rd\r\n\n\n",
    "separators": "\x85\u2028\u2029",
    "bidi": "\u202e\u2066\u200f\u061c",
    "zero-width": "\u200b\u200d\ufeff\u2060\u00ad",
    "tags": "\U000e0041\U000e007f\u3164\ufffb",
    "markup": "[/oops]",
    "markup-link": "[@click=app.quit]x[/]",
    "markup-red": "[red][bold",
    "markup-odd": "[]]][[[/][on]\\[",
    "template": "{{job}} $job ${x} {0} %s %(x)s",
    "long": "x" * 3000,
    "wide": "日本語🙂👩‍👩‍👧한국어",
    "combining": "e" + "\u0301\u0327" * 200,
    "variation": "☠\ufe0f✈\ufe0e",
})  # fmt: skip
"""Name -> what is dangerous about it in its raw form."""
SURROGATES: Mapping[str, str] = MappingProxyType({"surrogate": "\ud800x\udfff", "surrogate-last": "\udcff"})
"""What only some ways can carry."""

_OWN = re.compile(
    rb"\x1b\[[\d;]*m"  # colours
    rb"|\x1b\[\d+;\d+H"  # the cursor's place
    rb"|\x1b\[\?(?:7|25|1000|1003|1004|1006|1015|1016|1049|2004|2026|2048)[hl]"  # modes, on and off
    rb"|\x1b\[\?(?:2026|2048)\$p"  # asking which modes there are
    rb"|\x1b\[>\d+u|\x1b\[<u"  # kitty's keyboard protocol
    rb"|\x1b\]22;default\x07"  # the mouse pointer's shape
)
"""All that Textual writes besides text, in a session where nothing is copied."""


def said(name: str, text: str) -> str:
    """An atom with marks around it, by which it is found on the screen: `<markup[/oops]>`."""
    return f"<{name}{text}>"


def lines_of(text: str) -> Iterable[bytes]:
    """The parts of an atom that would be obeyed as they are."""
    return re.findall(rb"\x1b[\[\]P_c][^\x1b]*", text.encode("utf-8", "surrogatepass"))


def assert_inert(written: bytes | bytearray, allowed: str = "\r\n") -> None:
    """Nothing but the console's own sequences, visible text and the `allowed` characters was written."""
    for name, atom in {**ATOMS, **SURROGATES}.items():
        for sequence in lines_of(atom):
            assert sequence not in written, f"{name}: {sequence!r} was written"
    begun = re.search(rb"\x1b(?:\[[\d;?<>]*)?$", written)  # what we have not read to its end
    whole = written[: begun.start()] if begun else written
    text = codecs.getincrementaldecoder("utf-8")("strict").decode(_OWN.sub(b"", whole))
    for place, character in enumerate(text):
        category = unicodedata.category(character)
        if category in ("Cc", "Cf", "Cs", "Zl", "Zp") and character not in allowed:
            around = text[max(0, place - 60) : place + 60]
            raise AssertionError(f"{character!r} ({category}) was written, in {around!r}")
