"""Who is acting, where, and whether that is allowed at all."""

import grp
import os
import pwd
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from opsconsole.actions.action import Action, Risk
from opsconsole.config.settings import Environment, Mode, Role, Roles

_NOBODY = 2**32 - 1  # what the kernel says of a process that no login started


@dataclass(frozen=True, slots=True)
class Context:
    """Who acts, from where, and on what terms."""

    actor: str
    """The operating-system user by uid: what `$USER` says can be said by anybody."""
    host: str
    environment: str
    mode: Mode
    role: Role
    read_only: bool = False
    """The console was started with `--read-only`."""
    login: str = ""
    """Who logged in, where that is somebody else: the user behind `sudo` or `su`."""
    ssh_connection: str = ""
    """`$SSH_CONNECTION`: client address and port, server address and port."""

    @classmethod
    def current(cls, environment: Environment, roles: Roles | None = None, *, read_only: bool = False) -> "Context":
        """The context of this process in `environment`."""
        actor = user_name(os.getuid())
        return cls(
            actor=actor,
            host=socket.gethostname(),
            environment=environment.name,
            mode=environment.mode,
            role=(roles or Roles()).role_of(actor, _groups()),
            read_only=read_only,
            login=_login(actor, os.environ),
            ssh_connection=os.environ.get("SSH_CONNECTION", ""),
        )


def refusal(action: Action, context: Context) -> str | None:
    """Why `context` does not allow `action`, and how to be allowed; None where it does. Looking is always allowed."""
    if action.risk is Risk.READ:
        return None
    if context.read_only:
        return "this console was started with --read-only; start it without, to change anything"
    if context.mode is Mode.READ_ONLY:
        return (
            f"environment {context.environment} is read-only; "
            f"that is environments.{context.environment}.mode in the configuration"
        )
    if context.role is Role.VIEWER:
        return (
            f"{context.actor} is a viewer here, and viewers change nothing; "
            "roles.operator in the configuration names who may"
        )
    return None


def user_name(uid: int) -> str:
    """The name of a user, or `uid:N` where the system knows none (containers)."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid:{uid}"


def login_of() -> str:
    """Who logged in to run this process, where that is not its user; else empty."""
    return _login(user_name(os.getuid()), os.environ)


def groups_of(uid: int) -> list[str]:
    """The names of the groups that a user belongs to; of one the system does not know, none."""
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return []
    return _group_names(set(os.getgrouplist(entry.pw_name, entry.pw_gid)))


def login_uid(kernel: Path = Path("/proc/self/loginuid")) -> int | None:
    """The user id that logged in, however often it changed since: from the kernel's audit id, else as `sudo` says."""
    try:
        uid = int(kernel.read_text("ascii"))
        if uid != _NOBODY:
            return uid
    except (OSError, ValueError):
        pass
    said = os.environ.get("SUDO_UID", "")
    return int(said) if said.isascii() and said.isdigit() else None


def _groups() -> list[str]:
    return _group_names({os.getgid(), *os.getgroups()})


def _group_names(gids: set[int]) -> list[str]:
    names = []
    for gid in gids:
        try:
            names.append(grp.getgrgid(gid).gr_name)
        except KeyError:
            continue
    return names


def _login(actor: str, environ: Mapping[str, str], kernel: Path = Path("/proc/self/loginuid")) -> str:
    """Who logged in, where it is not `actor`: from the kernel's audit id, else as `sudo` says."""
    try:
        uid = int(kernel.read_text("ascii"))
        name = "" if uid == _NOBODY else user_name(uid)
    except (OSError, ValueError):
        name = ""
    name = name or environ.get("SUDO_USER", "")
    return "" if name == actor else name
