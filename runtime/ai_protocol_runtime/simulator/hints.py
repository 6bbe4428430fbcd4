"""Values named in a prompt, and which property each of them is most likely meant for.

No understanding is pretended: numbers, quoted strings, dates, addresses and names are found by their looks, and go to
the property whose words stand just before them, else to the properties in order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import Any

NEAR = 40
"""How many characters before a value a property's word may stand and still claim it."""
MAX_TEXT = 20_000
MAX_HINTS = 200
"""Beyond this much of a prompt, and this many values, nothing is looked for."""

_NUMBER = (
    r"(?<![\w.,:/@-])-?\d+(?:,\d{3})*(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w@]|[-:/]\d)"  # but no part of a date or a version
    r"|(?<=[\d\s)][-+*/x])\d+(?:\.\d+)?(?!\w)"  # the second number of 3*4
)
_LOOKS: list[tuple[str, str]] = [
    ("text", r"[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64})+"),
    ("text", r"[a-z][a-z0-9+.-]{1,20}://[^\s\"'<>)\]]+"),
    ("text", r"(?i:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"),
    ("text", r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?"),
    (
        "text",
        r"\"[^\"\n]+\"|`[^`\n]+`|“[^”\n]+”|„[^“”\n]+[“”]|«[^»\n]+»|「[^」\n]+」|‘[^’\n]+’|(?<!\w)'(?!\s)[^'\n]+'(?!\w)",
    ),
    ("number", _NUMBER),
    ("boolean", r"(?i:\b(?:true|false|yes|no)\b)"),
    # A name: words in capitals that do not open a sentence, "San Francisco, CA" as one.
    ("name", r"(?<=[a-z,;:] )[A-Z][\w'’-]*(?:(?:, | )[A-Z][\w'’-]*)*"),
    ("topic", r"(?<=\babout )\w+"),
]
_QUOTES = "\"'`“”„«»「」‘’"
_LOOK = re.compile("|".join(f"(?P<k{i}>{look})" for i, (_, look) in enumerate(_LOOKS)))
_WORD = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+(?![a-z])|\d+")


@dataclass(slots=True)
class Hint:
    """A value found at `start`; `kind` is ``number``, ``boolean``, ``text``, ``name`` or ``topic``."""

    kind: str
    value: Any
    start: int


class Hints:
    """The values named in `text`; each is given out once."""

    def __init__(self, text: str = "") -> None:
        self.text = text[:MAX_TEXT]
        self.left = [_hint(match) for match in islice(_LOOK.finditer(self.text), MAX_HINTS)]

    def mentions(self, value: Any) -> bool:
        """Whether the prompt says this very word (an option of an enumeration, the name of a tool)."""
        return mentioned(str(value), self.text) is not None

    def find(self, name: str, kinds: tuple[str, ...], *, near: bool = False) -> list[Hint]:
        """Values of these kinds, the likeliest for a property of that name first.

        `near`: only those that a word of the name stands before.
        """
        scored = [(self._score(name, hint), hint) for hint in self.left if hint.kind in kinds]
        if near:
            scored = [pair for pair in scored if pair[0] > 0]
        # Quoted strings and numbers are surer than names; within one kind the order of the text decides.
        scored.sort(key=lambda pair: (-pair[0], kinds.index(pair[1].kind), pair[1].start))
        return [hint for _, hint in scored]

    def best(self, name: str) -> float:
        """How surely some value of the prompt belongs to this property; 0 when none does."""
        return max((self._score(name, hint) for hint in self.left), default=0.0)

    def take(self, hint: Hint) -> None:
        self.left.remove(hint)

    def _score(self, name: str, hint: Hint) -> float:
        before = self.text[max(0, hint.start - NEAR) : hint.start].lower()
        score = 0.0
        for word in words(name):
            at = before.rfind(word if len(word) < 4 else word[:4])
            if at >= 0 and (at == 0 or not before[at - 1].isalnum()):
                score += 1 + at / NEAR
        return score


def words(name: str) -> list[str]:
    """The words of an identifier, in lower case: ``customerName`` and ``customer_name`` give ``customer``, ``name``."""
    return [word.lower() for word in _WORD.findall(name)]


def mentioned(name: str, text: str, start: int = 0) -> int | None:
    """Where `text` says `name` as a word of its own; an identifier may also be written with spaces or hyphens."""
    if not name:
        return None
    spelled = re.escape(name).replace("_", "[_ -]")
    found = re.compile(rf"(?<!\w){spelled}(?!\w)", re.IGNORECASE).search(text, start)
    return None if found is None else found.start()


def _hint(match: re.Match[str]) -> Hint:
    kind = _LOOKS[int((match.lastgroup or "k0")[1:])][0]
    text = match.group()
    value: Any = text
    if kind == "number":
        plain = text.replace(",", "")
        value = float(plain) if set(plain) & set(".eE") else int(plain)
    elif kind == "boolean":
        value = text.lower() in ("true", "yes")
    elif kind == "text" and text[0] in _QUOTES:
        value = text[1:-1]
    return Hint(kind, value, match.start())
