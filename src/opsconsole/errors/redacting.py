"""Secrets that programs write into their errors: passwords of URLs and of `key=value`, tokens of headers, private keys.

Errors are shown on screens that others see, are kept in a file, and go into reports; the secret says nothing about what
went wrong. What looks like one is replaced rather than what is one: nobody tells us which they are.
"""

import re

MASK = "***"
_VALUE = r"""(?:"(?:[^"\\]|\\.){0,500}"?|'(?:[^'\\]|\\.|''){0,500}'?|[^\s,;&"'<>(){}\[\]]+)"""
_NAME = r"(?:passw(?:or)?d|passphrase|secret|credential|api[_-]?key|access[_-]?key|private[_-]?key)[\w-]{0,30}"
_NAMES = rf"(?:{_NAME}|(?:token|pwd)(?![\w-]))"
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(://[^\s:/@]{0,200}:)[^\s/]{1,500}@"), rf"\1{MASK}@"),
    (re.compile(r"\b(bearer|basic)( +)[\w.~+/=-]{12,}", re.IGNORECASE), rf"\1\2{MASK}"),
    (re.compile(r"(-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----).*?(-----END|\Z)", re.DOTALL), rf"\1{MASK}\2"),
    # SQL: ALTER ROLE app PASSWORD '…'.
    (re.compile(r"(\bpassword +)'(?:[^']|''){0,500}'?", re.IGNORECASE), rf"\1'{MASK}'"),
    # JSON, and Python's dictionaries.
    (re.compile(rf"""({_NAMES}["'] ?[:=] ?){_VALUE}""", re.IGNORECASE), rf"\1{MASK}"),
    # `password: must not be empty` is a sentence, `password:x` and `password = x` are none. A path is no secret.
    (re.compile(rf"({_NAMES}(?: ?= ?|:(?=\S)))(?![/:]){_VALUE}", re.IGNORECASE), rf"\1{MASK}"),
)  # fmt: skip
_SIGNS = ("pass", "pwd", "secret", "credential", "key", "token", "bearer", "basic", "://")
"""Without one of these there is nothing to look for."""


def redacted(text: str) -> str:
    """`text` without what looks like a secret."""
    small = text.lower()
    if not any(sign in small for sign in _SIGNS):
        return text
    for pattern, put in _RULES:
        text = pattern.sub(put, text)
    return text
