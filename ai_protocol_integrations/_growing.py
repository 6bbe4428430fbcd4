"""JSON whose text comes in pieces, as far as it has come.

Reading on costs what the new piece costs, however long the text has become, and a snapshot only what is open in it.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from typing import Any, TypeAlias

_State: TypeAlias = Callable[["GrowingJSON", str, int], int]
"""What is read next: from this place in the piece on, up to the place that is returned."""

_NOTHING: Any = object()
_LITERALS = {word[0]: (word, json.loads(word)) for word in ("true", "false", "null", "NaN", "Infinity", "-Infinity")}
_CLOSERS = {dict: "}", list: "]"}

_SPACE = re.compile(r"[ \t\n\r]*")
_SHORT = r'["\\/bfnrt]'
_UNIT = "u[0-9a-fA-F]{4}"
_FIRST_HALF = "u[dD][89abAB][0-9a-fA-F]{2}"
_SECOND_HALF = "u[dD][c-fC-F][0-9a-fA-F]{2}"
_ESCAPE = rf"\\(?:{_SHORT}|{_FIRST_HALF}(?:\\{_SECOND_HALF}|(?=[^\\]|\\(?:{_SHORT}|{_UNIT})))|(?!{_FIRST_HALF}){_UNIT})"
_CHARACTERS = re.compile(rf'(?:[^"\\]++|{_ESCAPE})*+')
_HALF_ESCAPE = re.compile(rf"(?:\\{_FIRST_HALF})?(?:\\(?:u[0-9a-fA-F]{{0,3}})?)?\Z")
_EXPONENT = "[eE][+-]?[0-9]*+"
_NUMBER = re.compile(rf"-?(?:(?:0|[1-9][0-9]*+)(?:\.(?:[0-9]++(?:{_EXPONENT})?)?|{_EXPONENT})?)?")
"""A number as far as it has come; one that ends in a digit is one."""
_LATER_DIGITS = re.compile("(?<=[0-9])[0-9]+")


class GrowingJSON:
    """A JSON value, most often an object, whose text comes in pieces. It takes what ``json.loads(text, strict=False)``
    takes, and nesting of any depth."""

    def __init__(self) -> None:
        self.broken = False
        """Whether what has come cannot become JSON: then nothing more is read, and `value` stays what it was."""
        self._state: _State = GrowingJSON._value
        self._whole = _NOTHING
        self._open: list[dict[str, Any] | list[Any]] = []
        self._keys: list[str] = []  # for each of them: the key that a value is awaited for
        self._pieces: list[str] = []  # of the open string or number
        self._digits = ""  # stands for an open number: the same may follow it
        self._held = ""  # of an escape or a literal, until it is whole

    def feed(self, text: str) -> None:
        """Reads on, with the next piece."""
        text, at = self._held + text, 0
        self._held = ""
        while at < len(text) and not self.broken:
            if self._state not in _WHERE_SPACE_COUNTS and (at := _end(_SPACE, text, at)) == len(text):
                break
            at = self._state(self, text, at)

    @property
    def value(self) -> Any:
        """What is known so far, None while nothing is.

        Objects, arrays and strings are there as far as they have come, half escapes left out; so are numbers, as far
        as they are some. What was given once never changes: only what is still open is a copy, the rest is shared by
        all that are given and must not be changed by anyone.
        """
        value = self._last()
        for container, key in zip(reversed(self._open), reversed(self._keys), strict=True):
            grown = container.copy()
            if value is not _NOTHING:
                _put(grown, key, value)
            value = grown
        return None if value is _NOTHING else value

    @property
    def complete(self) -> bool:
        """Whether what has come is a whole JSON value."""
        if self.broken or self._open:
            return False
        if self._state is GrowingJSON._number:  # it may go on, and is one all the same
            return _as_number(self._text()) is not _NOTHING
        return self._state is GrowingJSON._after

    def _last(self) -> Any:
        """The string or number that is open, or the whole when nothing is."""
        if self._state is GrowingJSON._string:
            return self._text()
        if self._state is GrowingJSON._number:
            return _as_number(self._text().rstrip(".eE+-"))
        return self._whole

    def _text(self) -> str:
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    # the states

    def _value(self, text: str, at: int) -> int:
        char = text[at]
        if char == '"':
            return self._begin(GrowingJSON._string, at + 1)
        if char == "{":
            return self._enter({}, GrowingJSON._first_key, at)
        if char == "[":
            return self._enter([], GrowingJSON._first_item, at)
        word, value = _LITERALS.get(char, ("", None))
        if word and text.startswith(word, at):
            self._done(value)
            return at + len(word)
        if word.startswith(text[at : at + len(word) + 1]):
            self._held = text[at:]
            return len(text)
        return self._begin(GrowingJSON._number, at) if char in "-0123456789" else self._fault(at)

    def _first_item(self, text: str, at: int) -> int:
        if text[at] == "]":
            return self._leave(at)
        return self._value(text, at)

    def _first_key(self, text: str, at: int) -> int:
        if text[at] == "}":
            return self._leave(at)
        return self._key(text, at)

    def _key(self, text: str, at: int) -> int:
        return self._begin(GrowingJSON._name, at + 1) if text[at] == '"' else self._fault(at)

    def _colon(self, text: str, at: int) -> int:
        return self._await(GrowingJSON._value, at) if text[at] == ":" else self._fault(at)

    def _after(self, text: str, at: int) -> int:
        if not self._open:
            return self._fault(at)
        of = type(self._open[-1])
        if text[at] == ",":
            return self._await(GrowingJSON._key if of is dict else GrowingJSON._value, at)
        return self._leave(at) if text[at] == _CLOSERS[of] else self._fault(at)

    def _string(self, text: str, at: int) -> int:
        return self._characters(text, at, self._done)

    def _name(self, text: str, at: int) -> int:
        return self._characters(text, at, self._named)

    def _characters(self, text: str, at: int, done: Callable[[str], None]) -> int:
        end = _end(_CHARACTERS, text, at)
        if end > at:
            run = text[at:end]
            self._pieces.append(json.loads(f'"{run}"', strict=False) if "\\" in run else run)
        if end == len(text):
            return end
        if text[end] == '"':
            done(self._text())
            return end + 1
        if not _HALF_ESCAPE.match(text, end):
            return self._fault(end)
        self._held = text[end:]
        return len(text)

    def _number(self, text: str, at: int) -> int:
        begun, self._digits = self._digits, ""
        end = _end(_NUMBER, begun + text, at) - len(begun)  # what was begun, was so in an earlier piece: `at` is 0
        self._pieces.append(text[at:end])
        if end == len(text):
            self._digits = _LATER_DIGITS.sub("", begun + text[at:])
            return end
        number = _as_number(self._text())
        if number is _NOTHING:
            return self._fault(end)
        self._done(number)
        return end

    # steps from one to the next

    def _fault(self, at: int) -> int:
        self.broken = True
        return at

    def _await(self, state: _State, at: int) -> int:
        self._state = state
        return at + 1

    def _begin(self, state: _State, at: int) -> int:
        self._state, self._pieces = state, []
        return at

    def _enter(self, container: dict[str, Any] | list[Any], state: _State, at: int) -> int:
        self._open.append(container)
        self._keys.append("")
        return self._await(state, at)

    def _leave(self, at: int) -> int:
        self._keys.pop()
        self._done(self._open.pop())
        return at + 1

    def _named(self, key: str) -> None:
        self._keys[-1] = key
        self._state = GrowingJSON._colon

    def _done(self, value: Any) -> None:
        self._state = GrowingJSON._after
        if self._open:
            _put(self._open[-1], self._keys[-1], value)
        else:
            self._whole = value


_WHERE_SPACE_COUNTS = frozenset((GrowingJSON._string, GrowingJSON._name, GrowingJSON._number))


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    assert found  # the patterns this is for fit an empty text
    return found.end()


def _put(container: dict[str, Any] | list[Any], key: str, value: Any) -> None:
    if isinstance(container, dict):
        container[key] = value
    else:
        container.append(value)


def _as_number(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:  # also for an integer that is longer than Python takes
        return _NOTHING


class PartialObjects:
    """Snapshots of JSON objects whose whole texts are given again and again as they grow: only what is new is read.

    It remembers the `most` texts that were read last, and may be shared by threads.
    """

    def __init__(self, most: int = 16) -> None:
        self._most = most
        self._read: dict[str, tuple[str, GrowingJSON]] = {}
        self._lock = threading.Lock()

    def read(self, key: str, text: str) -> dict[str, Any]:
        """The object of a text as far as it has come (see `GrowingJSON.value`), empty if there is none. `key` tells
        one growing text from others; any text is read right under any key, one that goes on from the last quickly."""
        with self._lock:
            known, reader = self._read.pop(key, ("", None))
            if reader is None or not text.startswith(known):
                known, reader = "", GrowingJSON()
            reader.feed(text[len(known) :])
            self._read[key] = text, reader
            if len(self._read) > self._most:
                del self._read[next(iter(self._read))]
            value = reader.value
        return value if isinstance(value, dict) else {}
