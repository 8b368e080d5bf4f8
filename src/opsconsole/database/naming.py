"""Names of objects as SQL writes them, for statements that people read and copy."""

import re

_PART = re.compile(r'"((?:[^"]|"")+)"|([^".]+)')


def parsed(text: str, schema: str = "public") -> tuple[str, str]:
    """(schema, name) of `readings`, `app.readings` or `"a.b"."c"`. Nothing is folded: a name is written as the lists
    of the console show it, in quotes where it has a dot or a quote in it.

    Raises:
        ValueError: it is no such name.
    """
    parts: list[str] = []
    rest = text
    while found := _PART.match(rest):
        parts.append(found[1].replace('""', '"') if found[1] is not None else found[2])
        rest = rest[found.end() :]
        if not rest.startswith("."):
            break
        rest = rest[1:]
    if rest or not parts or len(parts) > 2 or text.endswith("."):
        raise ValueError(f"{text!r} is no name; expected NAME, SCHEMA.NAME, or with quotes")
    return (parts[0], parts[1]) if len(parts) == 2 else (schema, parts[0])


def literal(text: str) -> str:
    """`'it''s'`: a value, for statements that people read and copy."""
    return "'" + text.replace("'", "''") + "'"


def quoted(*parts: str) -> str:
    """`"schema"."name"`, whatever the parts hold. Always in quotes: which words are keywords differs by version."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)
