"""The name that Alertmanager gives a set of labels."""

from collections.abc import Mapping

# FNV-1a, 64 bits, over sorted names and values, each followed by 0xff: prometheus/common, model/signature.go.
_OFFSET = 14695981039346656037
_PRIME = 1099511628211
_MASK = (1 << 64) - 1


def fingerprint(labels: Mapping[str, str]) -> str:
    """16 hexadecimal digits, as Alertmanager shows them."""
    found = _OFFSET
    for name in sorted(labels):
        for byte in b"\xff".join((name.encode(), labels[name].encode(), b"")):
            found = ((found ^ byte) * _PRIME) & _MASK
    return f"{found:016x}"
