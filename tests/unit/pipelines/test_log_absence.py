"""Whether there is a log, by what Airflow 3 and 2 send in either case."""

import json

import pytest

from opsconsole.pipelines.log_absence import AbsenceFinder
from opsconsole.pipelines.log_wire import plain_line, structured_line


def found(*lines: object) -> AbsenceFinder:
    """After lines of version 1 (texts) or 2 (objects) of the API."""
    finder = AbsenceFinder()
    for one in lines:
        finder.see(plain_line(one) if isinstance(one, str) else structured_line(json.dumps(one)))
    return finder


GROUP = {"event": "::group::Log message source details", "sources": ["Could not read served logs: connection refused"]}
END = {"event": "::endgroup::"}


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([], ""),
        ([{"event": GROUP["event"]}, END], ""),
        ([GROUP, END], "Could not read served logs: connection refused"),
        ([GROUP, END, {"event": "No logs available for this task.", "timestamp": "2026-11-21T04:00:00Z"}],
         "No logs available for this task."),
        ([{"event": "Task was skipped, no logs available."}], "Task was skipped, no logs available."),
        ([{"event": "Task was skipped \u2014 no logs available."}], "Task was skipped \u2014 no logs available."),
        ([{"event": "No logs found on disk for /logs/a", "level": "error"}], "No logs found on disk for /logs/a"),
        ([" INFO - ::group::Log message source details", "*** Could not read served logs: no host",
          " INFO - ::endgroup::"], "Could not read served logs: no host"),
        (["worker-1", " INFO - ::group::Log message source details", "*** No local logs", " INFO - ::endgroup::"],
         "No local logs"),
        (["*** Log file does not exist: /logs/a", "*** Fetching from: http://:8793/log/a"],
         "Log file does not exist: /logs/a"),
    ],
)  # fmt: skip
def test_what_airflow_says_in_place_of_a_log_is_why_there_is_none(lines: list[object], reason: str) -> None:
    finder = found(*lines)
    assert finder.absent
    assert finder.reason == reason


@pytest.mark.parametrize(
    "lines",
    [
        [GROUP, END, {"event": "starting", "level": "info"}],
        [{"event": "No logs found on disk for /logs/a"}, {"event": "ValueError: no tariff", "level": "error"}],
        ["*** Found local files:", "***   * /logs/a", "[2026-11-21T04:00:00.000+0000] {a.py:1} INFO - starting"],
        ["the task says: No logs found"],
        ["starting"],
        ["worker-1", " INFO - ::group::Log message source details", " INFO - ::endgroup::", "starting"],
    ],
)
def test_a_line_of_the_task_is_a_log(lines: list[object]) -> None:
    finder = found(*lines)
    assert not finder.absent
    assert finder.reason == ""
