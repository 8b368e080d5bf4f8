"""What a service manager's answer means: whether the service runs, and for what went wrong, what to do next.

The texts are those of systemd 245 to 257, Docker 20 to 29, Compose 2, supervisor 4 and kubectl 1.24 to 1.34. A text
that is not known here is shown as it is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from opsconsole.config.services import Service
from opsconsole.core.clean import clean_line

_STATES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "docker": (r"running ", r"(created|exited|dead) "),
        "compose": (r"\S+ running ", r"\S+ (created|exited|dead) "),
        "supervisor": (r"\S+ +RUNNING\b", r"\S+ +(STOPPED|EXITED|FATAL)\b"),
    }
)
"""Driver -> what each line of `status` begins with where the service runs, and where it is down."""
_DOWN_EXITS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "systemd": (1, 2, 3),  # LSB: dead, and something of it is left (1, 2), or not running
        "supervisor": (3,),
        "command": (1, 3),
    }
)
"""Driver -> exit codes of `status` that speak of the service, and not of the question."""


def is_answer(service: Service, exit_code: int | None, output: str) -> bool:
    """Whether `status` has shown how the service does, rather than failed itself."""
    driver = "command" if service.status else service.driver
    return exit_code in (0, *_DOWN_EXITS.get(driver, ())) and not (exit_code and is_blind(service, output))


def runs(service: Service, exit_code: int | None, output: str) -> bool | None:
    """Whether it runs, by the answer to `status`; None: neither up nor down, or no answer at all.

    Of several processes all have to run, and all have to be down: one that is dead makes a service neither.
    """
    driver = "command" if service.status else service.driver
    if not is_answer(service, exit_code, output):
        return None
    if driver == "kubectl":
        return _ready(output)
    if driver in _STATES:
        lines = [line.strip() for line in output.splitlines() if line.strip()]
        if not lines:
            return False if driver == "compose" else None  # it has no container
        up, down = (all(re.match(pattern, line) for line in lines) for pattern in _STATES[driver])
        return up if up or down else None
    return exit_code == 0


def _ready(output: str) -> bool | None:
    """Of `3 wanted, 3 there, 3 ready` or `deployment "x" successfully rolled out`."""
    if "successfully rolled out" in output or "roll out complete" in output:
        return True
    found = re.search(r"^(\d*) wanted, (\d*) there, (\d*) ready", output, re.MULTILINE)
    if found is None:
        return None
    wanted, there, ready = (int(one or 0) for one in found.groups())
    if not wanted and not there:
        return False
    return True if ready >= wanted > 0 else None


@dataclass(frozen=True, slots=True)
class _Fault:
    """One way in which a manager fails, and the way out. `{unit}` is what the driver calls the service."""

    pattern: str
    advice: str
    drivers: tuple[str, ...]
    of_the_service: bool = False
    """It says how the service does, rather than that nobody could look."""


_DOCKERS = ("docker", "compose")
_FAULTS = (
    _Fault(
        r"sudo: (a password|a terminal) is required|sudo: .*not allowed|is not in the sudoers file",
        "sudo wants a password, or does not allow it; allow exactly this command in sudoers with NOPASSWD",
        ("systemd", "docker", "compose", "supervisor", "kubectl", "command"),
    ),
    _Fault(
        r"not been booted with systemd|Failed to connect to (the )?(system |user )?(scope )?bus",
        "systemd does not run here, or its bus cannot be reached; set host: or driver: of it in services.yaml",
        ("systemd",),
    ),
    _Fault(
        r"Unit .* (could not be|not) found|Unit .* not loaded",
        "systemd has no unit {unit}; look with `systemctl list-unit-files`, and set unit: in services.yaml",
        ("systemd",),
    ),
    _Fault(
        r"Unit .* is masked",
        "the unit {unit} is masked, so somebody wants it down; ask, then `systemctl unmask` it",
        ("systemd",),
    ),
    _Fault(
        r"Interactive authentication required|Access denied|Permission denied",
        "systemd does not allow it to this user; set sudo: true in services.yaml, or add a polkit rule",
        ("systemd",),
    ),
    _Fault(
        r"Start request repeated too quickly|start-limit-hit",
        "{unit} failed too often in too short a time; repair what its log says, `systemctl reset-failed`, start it",
        ("systemd",),
        of_the_service=True,
    ),
    _Fault(
        r"Job for .* failed|Failed to (re)?start ",
        "{unit} does not start; its log says why: journalctl --unit={unit} --lines=40",
        ("systemd",),
        of_the_service=True,
    ),
    _Fault(
        r"[Cc]annot connect to the Docker daemon|failed to connect to the docker API|error during connect",
        "the Docker daemon does not answer; look with `systemctl status docker`, and start that first",
        _DOCKERS,
    ),
    _Fault(
        r"permission denied while trying to connect to the [Dd]ocker",
        "this user may not speak to the Docker daemon; set sudo: true in services.yaml",
        _DOCKERS,
    ),
    _Fault(
        r"[Nn]o such (container|object)",
        "Docker has no container {unit}; look with `docker ps --all`, and set unit: in services.yaml",
        ("docker",),
    ),
    _Fault(
        r"is not a docker command|unknown flag: --(file|project-name)|unknown docker command",
        "Docker has no Compose 2 here; install its plugin",
        ("compose",),
    ),
    _Fault(
        r"no such service",
        "Compose has no service {unit}; look with `docker compose config --services`, and set unit: in services.yaml",
        ("compose",),
    ),
    _Fault(
        r"no configuration file provided|open .*: no such file or directory",
        "Compose finds no file; set files: in services.yaml to its absolute path",
        ("compose",),
    ),
    _Fault(
        r"refused connection|\.sock no such file|No such file or directory.*socket|could not find config file",
        "supervisord does not answer; is it running, and is files: in services.yaml its configuration?",
        ("supervisor",),
    ),
    _Fault(
        r"no such process name",
        "supervisor shows the log of one program, by its full name; look with `supervisorctl status`, and set logs:"
        " or unit: in services.yaml",
        ("supervisor",),
    ),
    _Fault(
        r"no such (process|group)",
        "supervisor has no program {unit}; look with `supervisorctl status`, and set unit: in services.yaml"
        " (GROUP:* for all of a group)",
        ("supervisor",),
    ),
    _Fault(
        r"ERROR \((no such file|not executable)\)",
        "the command of {unit} is not there; look at command= in supervisor's configuration",
        ("supervisor",),
    ),
    _Fault(
        r"ERROR \((spawn error|abnormal termination)\)",
        "{unit} ends as soon as it is started; its log says why: supervisorctl tail {unit}",
        ("supervisor",),
        of_the_service=True,
    ),
    _Fault(
        r"was refused - did you specify|Unable to connect to the server|connection refused|i/o timeout",
        "the cluster does not answer; look with `kubectl cluster-info`",
        ("kubectl",),
    ),
    _Fault(
        r"context .* does not exist|current-context is not set|no configuration has been provided",
        "kubectl does not know the cluster; set context: in services.yaml, and KUBECONFIG",
        ("kubectl",),
    ),
    _Fault(
        r"\(Forbidden\)|must be logged in|\(Unauthorized\)",
        "the cluster does not allow it to this user; look with `kubectl auth can-i --list`",
        ("kubectl",),
    ),
    _Fault(
        r"\(NotFound\)|doesn't have a resource type",
        "there is no {unit} there; look with `kubectl get deployments,statefulsets`, and set unit: and namespace:"
        " in services.yaml",
        ("kubectl",),
    ),
    _Fault(
        r"can't restart paused",
        "the roll-out of {unit} is paused, so somebody works at it; `kubectl rollout resume` it",
        ("kubectl",),
        of_the_service=True,
    ),
)  # fmt: skip


def advice(service: Service, output: str) -> str:
    """What the output of a command that failed means and what to do next; empty where that is not known."""
    fault = _fault(service, output)
    return fault.advice.format(unit=clean_line(called(service), limit=100)) if fault else ""


def is_blind(service: Service, output: str) -> bool:
    """Whether looking again would be in vain: the manager is not there, or does not know the service."""
    fault = _fault(service, output)
    return fault is not None and not fault.of_the_service


def _fault(service: Service, output: str) -> _Fault | None:
    found = (one for one in _FAULTS if service.driver in one.drivers and re.search(one.pattern, output))
    return next(found, None)


def called(service: Service) -> str:
    """What its driver calls it."""
    return service.unit or (f"deployment/{service.name}" if service.driver == "kubectl" else service.name)
