"""Service managers that are not to be had here, as executables on PATH that answer as the real ones do.

Each keeps the state of its services in a file, says what the real one says, ends with its exit codes, and records what
it was called with. The words are those of systemd 252, Docker 27 and kubectl 1.31.
"""

from dataclasses import dataclass
from pathlib import Path

_SYSTEMCTL = r"""
verb=; unit=; for word; do case "$word" in -*) ;; *) [ -z "$verb" ] && verb=$word || unit=$word ;; esac; done
unit=${unit%.service}
[ "$(cat "$state/daemon")" = up ] || {
  echo "System has not been booted with systemd as init system (PID 1). Can't operate." >&2
  echo "Failed to connect to bus: Host is down" >&2; exit 1; }
[ -f "$state/$unit" ] || case $verb in
  status) echo "Unit $unit.service could not be found."; exit 4 ;;
  *) echo "Failed to $verb $unit.service: Unit $unit.service not found." >&2; exit 5 ;;
esac
now=$(cat "$state/$unit")
case $verb:$now in
  status:active) printf '● %s.service - %s\n     Active: active (running) since now\n' "$unit" "$unit"; exit 0 ;;
  status:dies) [ -f "$state/$unit.looked" ] || { : > "$state/$unit.looked"
    printf '● %s.service\n     Active: active (running) since now\n' "$unit"; exit 0; }
    printf '● %s.service\n     Active: failed (Result: exit-code)\n' "$unit"; exit 3 ;;
  status:*) printf '○ %s.service - %s\n     Active: inactive (dead)\n' "$unit" "$unit"; exit 3 ;;
  *:locked) echo "Failed to $verb $unit.service: Interactive authentication required." >&2; exit 1 ;;
  *:broken) echo "Job for $unit.service failed because the control process exited with error code." >&2
    echo "See \"systemctl status $unit.service\" and \"journalctl -xeu $unit.service\" for details." >&2; exit 1 ;;
  *:dies) exit 0 ;;
  stop:*) echo inactive > "$state/$unit" ;;
  *) echo active > "$state/$unit" ;;
esac
"""
_DOCKER = r"""
[ "$(cat "$state/daemon")" = up ] || {
  echo "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?" >&2
  exit 1; }
compose=; [ "$1" = compose ] && { compose=1; shift; }
for name; do :; done
verb=; for word; do case "$word" in ps|up|inspect|logs|start|stop|restart) verb=$word; break ;; esac; done
[ -f "$state/$name" ] || {
  if [ "$compose" ]; then echo "no such service: $name" >&2; exit 1; fi
  echo "Error response from daemon: No such container: $name" >&2
  [ "$verb" = inspect ] || echo "Error: failed to $verb containers: $name" >&2; exit 1; }
now=$(cat "$state/$name")
case $verb in
  inspect) echo "$now since 2026-11-21T07:00:00.123456789Z" ;;
  ps) [ "$now" = none ] || for one in $now; do echo "shop-$name-1 $one Up 3 seconds"; done ;;
  logs) echo "$name | GET /health 200" ;;
  stop) echo exited > "$state/$name"; echo "$name" ;;
  *) [ "$now" = dies ] || echo running > "$state/$name"; echo "$name" ;;
esac
"""
_KUBECTL = r"""
[ "$(cat "$state/daemon")" = up ] || {
  echo "The connection to the server localhost:8080 was refused - did you specify the right host or port?" >&2
  exit 1; }
for workload; do :; done
name=${workload#*/}
[ -f "$state/$name" ] || {
  echo "Error from server (NotFound): deployments.apps \"$name\" not found" >&2; exit 1; }
read -r wanted there ready < "$state/$name"
case "$*" in
  *"rollout status"*) if [ "$ready" = "$wanted" ]; then echo "deployment \"$name\" successfully rolled out"; exit 0; fi
    echo "Waiting for deployment \"$name\" rollout to finish: $ready of $wanted updated replicas are available..."
    echo "error: timed out waiting for the condition" >&2; exit 1 ;;
  *"rollout restart"*) echo "$wanted $wanted $wanted" > "$state/$name"; echo "deployment.apps/$name restarted" ;;
  *--replicas=0*) echo "0  " > "$state/$name"; echo "deployment.apps/$name scaled" ;;
  *--replicas=*) n=${*#*--replicas=}; n=${n%% *}; echo "$n $n $n" > "$state/$name"
    echo "deployment.apps/$name scaled" ;;
  *" get "*|get*) printf '%s wanted, %s there, %s ready' "$wanted" "$there" "$ready" ;;
  *logs*) echo "started" ;;
esac
"""
_JOURNALCTL = 'echo "Nov 21 07:00:00 host api[42]: ready"\n'


@dataclass(frozen=True)
class Managers:
    """The executables in one folder, for PATH."""

    folder: Path

    @classmethod
    def installed(cls, folder: Path) -> "Managers":
        """All of them, their daemons running and nothing known to them."""
        state = folder / "state"
        state.mkdir(parents=True)
        (state / "daemon").write_text("up\n")
        scripts = {"systemctl": _SYSTEMCTL, "docker": _DOCKER, "kubectl": _KUBECTL, "journalctl": _JOURNALCTL}
        for name, text in scripts.items():
            path = folder / name
            recording = f'printf "%s\\n" "{name} $*" >> "{folder}/calls"\nstate="{state}"\n'
            path.write_text(f"#!/bin/sh\n{recording}{text}")
            path.chmod(0o700)
        return cls(folder)

    def set(self, name: str, state: str) -> None:
        """What the service `name` is now."""
        (self.folder / "state" / name).write_text(state + "\n")

    def stop_daemon(self) -> None:
        """Nobody answers from now on."""
        self.set("daemon", "down")

    @property
    def calls(self) -> list[str]:
        """Every command, in order."""
        return (self.folder / "calls").read_text().splitlines()
