"""Typed values as JSON and back, for the line between a supervisor and those who talk to it.

What has a type here has it there: the receiving side names the type, and gets that or an error. A secret is written
in full: the line is a socket that only its owner can open, and nothing of it is kept.
"""

import types
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from opsconsole.core.secret import Secret

T = TypeVar("T")


def encode(value: object) -> Any:
    """`value` in terms of JSON."""
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(encode(name)): encode(one) for name, one in value.items()}
    if isinstance(value, Collection):
        return [encode(one) for one in value]
    if is_dataclass(value):
        return {one.name: encode(getattr(value, one.name)) for one in fields(value)}
    raise TypeError(f"{type(value).__name__} cannot be sent")


def decode(kind: type[T], data: object) -> T:
    """The `kind` that was encoded as `data`.

    Raises:
        ValueError: `data` is none; the message says where.
    """
    return cast("T", _decoded(kind, data))


def _decoded(kind: Any, data: Any) -> Any:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _one_of(get_args(kind), data)
    if origin is Literal:
        return _checked(data, data in get_args(kind), kind)
    if origin is not None:
        return _collection(origin, get_args(kind), data)
    if kind is Any:
        return data
    if kind is Secret:
        return Secret(_checked(data, isinstance(data, str), kind))
    if kind is Path:
        return Path(_checked(data, isinstance(data, str), kind))
    if is_dataclass(kind):
        return _dataclass(kind, data)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(data)
    if kind is float:
        return float(_checked(data, isinstance(data, int | float), kind))
    return _checked(data, isinstance(data, kind), kind)


def _one_of(kinds: tuple[Any, ...], data: Any) -> Any:
    if data is None and types.NoneType in kinds:
        return None
    for kind in kinds:
        if kind is types.NoneType:
            continue
        try:
            return _decoded(kind, data)
        except (ValueError, TypeError):
            continue
    raise ValueError(f"{type(data).__name__} where one of {kinds} was expected")


def _collection(origin: Any, arguments: tuple[Any, ...], data: Any) -> Any:
    if issubclass(origin, Mapping):
        _checked(data, isinstance(data, dict), origin)
        name, one = arguments
        return MappingProxyType({_decoded(name, key): _decoded(one, value) for key, value in data.items()})
    _checked(data, isinstance(data, list), origin)
    if issubclass(origin, tuple) and arguments[-1:] != (...,):
        return tuple(_decoded(kind, one) for kind, one in zip(arguments, data, strict=True))
    items = tuple(_decoded(arguments[0], one) for one in data)
    if issubclass(origin, AbstractSet):
        return frozenset(items)
    return list(items) if origin is list else items


def _dataclass(kind: Any, data: Any) -> Any:
    _checked(data, isinstance(data, dict), kind)
    hints = _hints(kind)
    return kind(**{name: _decoded(hints[name], value) for name, value in data.items() if name in hints})


@cache
def _hints(kind: Any) -> Mapping[str, Any]:
    known = {one.name for one in fields(kind) if one.init}
    return {name: hint for name, hint in get_type_hints(kind).items() if name in known}


def _checked(data: Any, holds: bool, kind: Any) -> Any:
    if not holds:
        raise ValueError(f"{type(data).__name__} where {getattr(kind, '__name__', kind)} was expected")
    return data
