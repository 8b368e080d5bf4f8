"""What is said while a log does not come: what Airflow does all that time, and where else the log is to be had."""

from textwrap import wrap

from opsconsole.core.clean import clean_line
from opsconsole.core.duration import duration_text
from opsconsole.pipelines.log_folder import place_in_folder
from opsconsole.pipelines.model import Task
from opsconsole.ui.lines import Line, Lines, Role, Span, line

_SLOW = (
    "The API server is busy, or the log is long: Airflow 3 reads it to its end before it sends the first line, a "
    "minute for 100 MB where it has nothing else to do. It goes on with that when you leave, and begins anew when "
    "asked again."
)
_FILE = "The log is a file{host}, below the folder of logs (base_log_folder; where nobody changed the layout):"
_ELSEWHERE = (
    'b opens the runbook, whose step "why it failed" shows the end of that file where OPS_AIRFLOW_LOGS names the '
    "folder. Where logs: under airflow: names it, mounted here, a long log is read from there, at once."
)
_LEAST = 20
"""Characters in which there is still something to read."""


def awaited_log(task: Task, number: int, seconds: float, width: int, *, given_up: bool) -> Lines:
    """The page in place of the log of try `number`, which was waited for `seconds` until now, or was `given_up`."""
    head = "It did not come. r asks again." if given_up else f"asking… {duration_text(round(seconds))}"
    host = f" of {clean_line(task.hostname, limit=100)}" if task.hostname else ""
    file = clean_line(place_in_folder(task, number), limit=1000)
    return (
        line(Span(head, "strong")),
        *_wrapped(_SLOW, width),
        (),
        *_wrapped(_FILE.format(host=host), width),
        *_wrapped(file, width - 2, "text", "  "),
        (),
        *_wrapped(_ELSEWHERE, width),
    )


def _wrapped(text: str, width: int, role: Role = "dim", indent: str = "") -> tuple[Line, ...]:
    lines = wrap(text, max(_LEAST, width), break_on_hyphens=False)
    return tuple(line(Span(f"{indent}{one}", role)) for one in lines)
