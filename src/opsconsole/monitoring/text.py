"""YAML and JSON as they are written for Prometheus, Alertmanager and Grafana: the same input, the same bytes."""

import json
from collections.abc import Mapping
from typing import Any

MARK = "# Made by `opsconsole monitoring export`"
"""How a file begins that may be written over."""
_WIDE = 10_000
"""Characters a line: an expression stays in one, so that a difference shows in one."""


def yaml_text(content: Mapping[str, Any], *, origin: str) -> str:
    """`content` as YAML, keys in their order, under a line that says where it comes from."""
    import yaml

    body = yaml.dump(
        _plain(content), Dumper=_dumper(), sort_keys=False, allow_unicode=True, width=_WIDE,
        default_flow_style=False,
    )  # fmt: skip
    return f"{MARK} from {origin}: change that, and export again.\n{body}"


def _dumper() -> Any:
    """One that writes text of several lines as such, which people can read."""
    import yaml

    class Readable(yaml.SafeDumper):
        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
            super().increase_indent(flow, False)  # lists are indented below their key

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Readable.add_representer(str, text)
    return Readable


def json_text(content: Mapping[str, Any]) -> str:
    """`content` as JSON, keys in their order."""
    return json.dumps(_plain(content), indent=2, ensure_ascii=False) + "\n"


def prometheus_duration(seconds: float) -> str:
    """`90` as Prometheus writes it: `1m30s`. Parts of a millisecond do not exist there.

    Raises:
        ValueError: it is negative.
    """
    rest = round(seconds * 1000)
    if rest < 0:
        raise ValueError(f"{seconds} is no duration")
    parts = []
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def _plain(value: Any) -> Any:
    """Without shared objects, which YAML would write as anchors, and without tuples."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
