"""The output of steps on a stream that a terminal may obey: decoded across pieces, cleaned, as it comes."""

import codecs
import contextlib
from typing import TextIO

from opsconsole.core.clean import clean


class OutputPrinter:
    """A sink that prints. A carriage return alone ends a line: progress bars become lines, nothing is overwritten."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._column = 0
        self._returned = False

    def __call__(self, piece: bytes) -> None:
        """Print one more piece."""
        self._print(self._decoder.decode(piece))

    def end(self) -> None:
        """The output is over: print what is left of a character, and end the line."""
        with contextlib.suppress(OSError):
            self._print(self._decoder.decode(b"", final=True))
            if self._column:
                self._stream.write("\n")
                self._stream.flush()
        self._column = 0
        self._returned = False
        self._decoder.reset()

    def _print(self, text: str) -> None:
        if self._returned and text:
            text = text.removeprefix("\n") if text[0] == "\n" else text
            self._returned = False
        if text.endswith("\r"):
            self._returned = True  # its newline, if it has one, may come with the next piece
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        if text:
            shown = clean(text, limit=len(text) + 1)
            self._stream.write(shown)
            self._stream.flush()
            self._column = len(shown) - shown.rfind("\n") - 1
