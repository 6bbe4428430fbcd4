"""The simulator's tokens: up to four characters of a word, with the space before it. Joined they give the text back."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"\s?\S{1,4}|\s")


def tokens(text: str) -> list[str]:
    """`text` cut into tokens."""
    return _TOKEN.findall(text)


def count(text: str | None) -> int:
    """How many tokens `text` has."""
    return len(tokens(text)) if text else 0
