"""Whether there is a log at all, and why not: Airflow answers with a few lines about where it looked in either case."""

import re

from opsconsole.core.reading import SourceError
from opsconsole.pipelines.model import LogLine

_GROUP = "::group::Log message source details"
_END = "::endgroup::"
_NONE = re.compile(
    r"(\*\*\* )?(No logs? (found|available)\b|Task was skipped\b.*\bno logs available|Log file does not exist"
    r"|Task did not run because upstream task|Error fetching the logs\. Try number)",
    re.IGNORECASE,
)
"""What Airflow 2.2 to 3.3 say in place of a log (utils/log/file_task_handler.py, log_reader.py)."""
_MOST_SAID = 5


class NoLogError(SourceError):
    """Airflow knows of no such try, or not any more."""


class AbsenceFinder:
    """Finds out, as a log passes by line after line, whether there is one. Holds a few lines."""

    def __init__(self) -> None:
        self._grouped = False
        self._grouping = False
        self._first = True
        self._present = False
        self._host = False
        """The first line may be a worker's name (version 1 of the API): it is, where source details follow."""
        self._said: list[str] = []
        self._looked: list[str] = []

    def see(self, line: LogLine) -> None:
        """Take the next line."""
        if self._present:
            return
        for text in filter(None, map(str.strip, line.text.splitlines())):
            first, self._first = self._first, False
            if _GROUP in text:
                self._grouped = self._grouping = True
                self._looked.append(text.partition(_GROUP)[2].strip())
            elif text.endswith(_END):
                self._grouped = False
            elif _NONE.match(text):
                self._said.append(text.removeprefix("*** "))
            elif self._grouped or text.startswith("*** "):
                self._grouping = True
                self._looked.append(text.removeprefix("*** "))
            elif first and " " not in text:
                self._host = True
            else:
                self._present = True

    @property
    def absent(self) -> bool:
        """Whether there is none, by what has passed."""
        return not self._present and (self._grouping or bool(self._said) or not self._host)

    @property
    def reason(self) -> str:
        """Why, in Airflow's words; else where it looked; empty where it says neither, or where there is a log."""
        if not self.absent:
            return ""
        return "; ".join((self._said or [one for one in self._looked if one])[:_MOST_SAID])
