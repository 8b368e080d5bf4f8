"""An Ansible callback: one JSON line for each host as soon as it has ended. Loaded by Ansible, not by the console.

Each line begins with a mark that only this run knows, so that nothing else on stdout can pass for a result.
"""

import json
import os

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: opsconsole_rows
type: stdout
short_description: one JSON line per host
description: One JSON line per host.
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Prints results; everything else Ansible has to say it says on stderr."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "opsconsole_rows"

    def v2_runner_on_ok(self, result) -> None:  # type: ignore[no-untyped-def]
        """It ended with exit code 0."""
        self._row(result, "ended")

    def v2_runner_on_failed(self, result, ignore_errors=False) -> None:  # type: ignore[no-untyped-def]
        """It ended with another one, or could not be run."""
        self._row(result, "ended")

    def v2_runner_on_unreachable(self, result) -> None:  # type: ignore[no-untyped-def]
        """The host could not be reached."""
        self._row(result, "unreachable")

    def _row(self, result, state) -> None:  # type: ignore[no-untyped-def]
        # names differ between versions: 2.19 made them public
        host = getattr(result, "host", None) or result._host
        found = getattr(result, "result", None) or result._result
        row = {
            "host": host.get_name(),
            "state": state,
            "rc": found.get("rc"),
            "stdout": str(found.get("stdout") or ""),
            "stderr": str(found.get("stderr") or ""),
            "message": str(found.get("msg") or ""),
        }
        print(f"\n{os.environ['OPSCONSOLE_MARK']}{json.dumps(row)}", flush=True)  # noqa: T201
