"""What a step's process finds in its environment: a short list from ours, and what the step was given."""

import os
import re
from collections.abc import Mapping

from opsconsole.core.secret import Secret

_INHERITED = frozenset({"PATH", "HOME", "LANG", "TERM", "TZ", "SSH_AUTH_SOCK", "KUBECONFIG"})
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# These do not carry a value into a program; they change which program runs, or how the shell reads its script.
_STEERING = re.compile(
    r"PATH|IFS|ENV|BASH_ENV|BASH_FUNC_.*|BASHOPTS|SHELLOPTS|PS4|PROMPT_COMMAND|CDPATH|GLOBIGNORE|LD_.*|DYLD_.*|PYTHON.*"
    r"|PERL5LIB|PERL5OPT|RUBYOPT|RUBYLIB|NODE_OPTIONS|OPS_OUT|OPS_ATTEMPT"
)
LARGEST = 128 * 1024 - 1
"""Bytes of `NAME=value` that Linux lets through to a program (MAX_ARG_STRLEN)."""


def environment(
    given: Mapping[str, str | Secret], fixed: Mapping[str, str], inherited: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The environment of a step: what is inherited, then `given`, then what the runner sets itself.

    Raises:
        ValueError: a name that is none or would steer the shell; a value with a NUL, or too large to be passed.
    """
    source = os.environ if inherited is None else inherited
    passed = {name: value for name, value in source.items() if name in _INHERITED or name.startswith("LC_")}
    passed.setdefault("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    for name, value in given.items():
        passed[name] = _checked(name, value.reveal() if isinstance(value, Secret) else value)
    return {**passed, **fixed}


def steers(name: str) -> bool:
    """Whether a variable of that name would change how a script is run, and is therefore never passed on."""
    return _STEERING.fullmatch(name) is not None


def _checked(name: str, value: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot be the name of an environment variable")
    if steers(name):
        raise ValueError(f"{name} would change how the script is run; choose another name")
    if "\x00" in value:
        raise ValueError(f"{name} holds a NUL character, which no environment variable can")
    size = len(os.fsencode(f"{name}={value}"))
    if size > LARGEST:
        raise ValueError(f"{name} has {size} bytes; an environment variable can have {LARGEST}")
    return value
