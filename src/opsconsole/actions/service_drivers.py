"""How a service is controlled: by systemd, docker, docker compose, supervisor, kubectl, or commands of its own.

Every command is a list of arguments; nothing is put together as text for a shell. What runs on another host goes there
by ssh, quoted for the shell that sshd starts.
"""

import shlex
from collections.abc import Callable, Mapping
from types import MappingProxyType

from opsconsole.actions.runners.remote import ssh_argv
from opsconsole.config.services import Service

VERBS = ("status", "start", "stop", "restart", "logs")
_LINES = "40"
_REPLICAS = r"{.spec.replicas} wanted, {.status.replicas} there, {.status.readyReplicas} ready"
INSTANCE = "{instance}"


def argv(service: Service, verb: str, instance: str = "", ssh_config: str = "") -> list[str]:
    """The command that does `verb` with `service`, or with one instance of it.

    Raises:
        ValueError: the service cannot do that, or has no such instances.
    """
    if verb not in VERBS:
        raise ValueError(f"no {verb!r}; a service can {', '.join(VERBS)}")
    command = _DRIVERS[service.driver](service, verb)
    if not command:
        raise ValueError(f"{service.name}: no command for {verb}; add {verb}: [PROGRAM, ARGUMENT] to services.yaml")
    return _placed(service, command, instance, ssh_config)


def _placed(service: Service, command: list[str], instance: str, ssh_config: str) -> list[str]:
    """`command` for that instance, as the user and on the host where it has to run."""
    command = _with_instance(service, command, instance)
    if service.sudo:
        command = ["sudo", "-n", "--", *command]
    return ssh_argv(service.host, shlex.join(command), ssh_config) if service.host else command


def settled_argv(service: Service, instance: str = "", ssh_config: str = "") -> list[str]:
    """The command that shows whether a start has come to its end: `status`, where the driver has nothing better.

    Kubernetes has: until a roll-out is done, the old pods are as ready as the new ones.
    """
    if service.driver == "kubectl" and not service.status:
        return _placed(service, _kubectl(service, "settled"), instance, ssh_config)
    return argv(service, "status", instance, ssh_config)


def _with_instance(service: Service, command: list[str], instance: str) -> list[str]:
    takes = any(INSTANCE in word for word in command)
    if instance and not takes:
        raise ValueError(
            f"{service.name}: it has no instances; leave the instance empty, or write {INSTANCE} into its entry"
            " in services.yaml"
        )
    if not instance and any(INSTANCE in word and word != INSTANCE for word in command):
        raise ValueError(f"{service.name}: which instance?")
    # alone it is an argument that can be left out: all instances
    return [word.replace(INSTANCE, instance) for word in command if instance or word != INSTANCE]


def _systemd(service: Service, verb: str) -> list[str]:
    scope = ["--user"] if service.user else []
    unit = service.unit or service.name
    match verb:
        case "logs":
            kind = "--user-unit" if service.user else "--unit"
            return ["journalctl", "--no-pager", f"--lines={_LINES}", f"{kind}={unit}"]
        case "status":
            return ["systemctl", *scope, "--no-pager", "--lines=0", "status", "--", unit]
        case _:
            return ["systemctl", *scope, "--no-ask-password", verb, "--", unit]


def _docker(service: Service, verb: str) -> list[str]:
    container = service.unit or service.name
    match verb:
        case "logs":
            return ["docker", "logs", "--tail", _LINES, "--", container]
        case "status":
            # an image or a network of that name is not meant; the exit code says nothing of the state
            return [
                "docker",
                "container",
                "inspect",
                "--format",
                "{{.State.Status}} since {{.State.StartedAt}}",
                "--",
                container,
            ]
        case _:
            return ["docker", verb, "--", container]


def _compose(service: Service, verb: str) -> list[str]:
    files = [part for file in service.files for part in ("--file", file)]
    project = ["--project-name", service.project] if service.project else []
    base = ["docker", "compose", *files, *project]
    name = service.unit or service.name
    match verb:
        case "logs":
            return [*base, "logs", "--no-color", "--tail", _LINES, "--", name]
        case "status":
            return [*base, "ps", "--all", "--format", "{{.Name}} {{.State}} {{.Status}}", "--", name]
        case "start":
            return [*base, "up", "--detach", "--no-deps", "--", name]
        case _:
            return [*base, verb, "--", name]


def _supervisor(service: Service, verb: str) -> list[str]:
    base = ["supervisorctl", *(part for file in service.files[:1] for part in ("--configuration", file))]
    program = service.unit or service.name
    return [*base, "tail", program] if verb == "logs" else [*base, verb, program]


def _kubectl(service: Service, verb: str) -> list[str]:
    context = [f"--context={service.context}"] if service.context else []
    namespace = [f"--namespace={service.namespace}"] if service.namespace else []
    base = ["kubectl", *context, *namespace]
    workload = service.unit or f"deployment/{service.name}"
    match verb:
        case "logs":
            return [*base, "logs", f"--tail={_LINES}", "--all-containers", "--", workload]
        case "status":
            return [*base, "get", f"--output=jsonpath={_REPLICAS}", "--", workload]
        case "settled":
            return [*base, "rollout", "status", "--timeout=10s", "--", workload]
        case "restart":
            return [*base, "rollout", "restart", "--", workload]
        case "stop":
            return [*base, "scale", "--replicas=0", "--", workload]
        case _:
            return [*base, "scale", f"--replicas={service.replicas}", "--", workload]


def _command(service: Service, verb: str) -> list[str]:
    own: Mapping[str, tuple[str, ...]] = {
        "status": service.status,
        "start": service.start,
        "stop": service.stop,
        "restart": service.restart,
        "logs": service.logs,
    }
    return list(own[verb])


def _or_own(driver: Callable[[Service, str], list[str]]) -> Callable[[Service, str], list[str]]:
    """What services.yaml says of a verb goes before what the driver would do."""
    return lambda service, verb: _command(service, verb) or driver(service, verb)


_DRIVERS: Mapping[str, Callable[[Service, str], list[str]]] = MappingProxyType(
    {
        "systemd": _or_own(_systemd),
        "docker": _or_own(_docker),
        "compose": _or_own(_compose),
        "supervisor": _or_own(_supervisor),
        "kubectl": _or_own(_kubectl),
        "command": _command,
    }
)
