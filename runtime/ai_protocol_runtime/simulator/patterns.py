"""A text that matches a regular expression, for the expressions that schemas use: classes, groups, choices, repeats."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator

from ai_protocol_runtime.jsonschema import matches

_CLASSES = {
    "d": string.digits,
    "w": string.ascii_lowercase + string.ascii_uppercase + string.digits + "_",
    "s": " \t\n",
    "D": string.ascii_lowercase + "-",
    "W": "-. ",
    "S": string.ascii_lowercase + string.digits,
}
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "0": "\0"}
_ANY = string.ascii_lowercase + string.ascii_uppercase + string.digits + "-_. @#"
LONGEST = 64

Piece = Callable[[int], str]
"""Writes its text; the number says how often an open-ended repeat is to go on beyond its least."""


def samples(pattern: str) -> Iterator[str]:
    """Texts that match `pattern`, from the shortest on; none where the expression is beyond this module."""
    try:
        write = _Reader(pattern).read()
    except (ValueError, IndexError):
        return
    seen: set[str] = set()
    for more in range(LONGEST):
        text = write(more)
        if text not in seen and matches(pattern, text):
            seen.add(text)
            yield text


class _Reader:
    def __init__(self, pattern: str) -> None:
        self.text = pattern
        self.at = 0

    def read(self) -> Piece:
        piece = self._choice()
        if self.at < len(self.text):
            raise ValueError("unbalanced )")
        return piece

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def _next(self) -> str:
        self.at += 1
        return self.text[self.at - 1]

    def _choice(self) -> Piece:
        options = [self._sequence()]
        while self._peek() == "|":
            self.at += 1
            options.append(self._sequence())
        # The first option, except that a later one may be longer where more is wanted.
        return lambda more: options[min(more, len(options) - 1)](max(0, more - len(options) + 1))

    def _sequence(self) -> Piece:
        pieces: list[Piece] = []
        while self._peek() not in ("", "|", ")"):
            pieces.append(self._repeated())
        return lambda more: "".join(piece(more) for piece in pieces)

    def _repeated(self) -> Piece:
        piece = self._atom()
        least, most = 1, 1
        sign = self._peek()
        if sign and sign in "?*+":
            self.at += 1
            least, most = {"?": (0, 1), "*": (0, LONGEST), "+": (1, LONGEST)}[sign]
        elif sign == "{":
            end = self.text.index("}", self.at)
            low, comma, high = self.text[self.at + 1 : end].partition(",")
            least = int(low or 0)
            most = int(high) if high else LONGEST if comma else least
            self.at = end + 1
        else:
            return piece
        if self._peek() in ("?", "+"):  # lazy, possessive: the same texts
            self.at += 1
        return lambda more: piece(more) * min(least + more, most) if most > least else piece(more) * least

    def _atom(self) -> Piece:
        char = self._next()
        if char == "(":
            silent = False
            if self._peek() == "?":
                silent = self._group_head()
            inner = self._choice()
            if self._next() != ")":
                raise ValueError("missing )")
            return (lambda more: "") if silent else inner
        if char == "[":
            return self._one_of(self._set())
        if char == "\\":
            return self._one_of(self._escape())
        if char in "^$":
            return lambda more: ""
        return self._one_of(_ANY if char == "." else char)

    def _group_head(self) -> bool:
        """Skip what follows ``(?``; True for a look-around, which writes nothing itself."""
        self.at += 1
        head = self._next()
        if head in "=!":
            return True
        if head == "P" or (head == "<" and self._peek() not in ("=", "!")):
            self.at = self.text.index(">", self.at) + 1
            return False
        if head == "<":
            self.at += 1
            return True
        if head != ":":
            raise ValueError("a group of another sort")
        return False

    def _set(self) -> str:
        excluded = self._peek() == "^"
        self.at += excluded
        chars = ""
        first = True
        while first or self._peek() != "]":
            first = False
            char = self._next()
            chunk = self._escape() if char == "\\" else char
            if len(chunk) == 1 and self._peek() == "-" and self.text[self.at + 1] != "]":
                self.at += 1
                end = self._next()
                if end == "\\":
                    end = self._escape()
                chunk = "".join(map(chr, range(ord(chunk), min(ord(end), ord(chunk) + 0x1000) + 1)))
            chars += chunk
        self.at += 1
        return "".join(c for c in _ANY + string.punctuation if c not in chars) if excluded else chars

    def _escape(self) -> str:
        char = self._next()
        if char in "bBAZz":
            return ""
        if char in _CLASSES:
            return _CLASSES[char]
        if char in "xu":
            size = 2 if char == "x" else 4
            self.at += size
            return chr(int(self.text[self.at - size : self.at], 16))
        if char in "pPk123456789":
            raise ValueError("a property or a back reference")
        return _CONTROLS.get(char, char)

    @staticmethod
    def _one_of(chars: str) -> Piece:
        return lambda more: chars[:1]
