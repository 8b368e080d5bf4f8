"""Names of objects as SQL writes them, for statements that people read and copy."""


def quoted(*parts: str) -> str:
    """`"schema"."name"`, whatever the parts hold. Always in quotes: which words are keywords differs by version."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)
