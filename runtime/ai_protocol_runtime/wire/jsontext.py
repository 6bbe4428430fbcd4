"""JSON text in and out (RFC 8259), with one error for whatever may be wrong with it.

The standard library's scanner is called directly, which saves a quarter of `json.loads`. orjson would be about one
microsecond an event faster still, but it turns integers beyond 64 bits into floats without a word, and finding those
first costs more than it saves.
"""

from __future__ import annotations

import json
import re
from itertools import accumulate
from typing import Any

from ai_protocol_runtime.types.errors import MalformedResponseError

MAX_DEPTH = 200
"""Levels of nesting that `loads` takes by default: several times what an answer has, far below Python's own limits."""

_WHITESPACE = " \t\n\r"
_BLANK = "\ufeff" + _WHITESPACE
_EXCERPT = 80
_HTML = re.compile(r"<(?:!doctype|html)\b", re.IGNORECASE)
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_NO_BRACKETS = bytes(set(range(256)) - _STEP.keys())

_scan = json.JSONDecoder().raw_decode
_to_unicode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_to_ascii = json.JSONEncoder(separators=(",", ":")).encode


def loads(text: str | bytes, *, what: str = "answer", max_depth: int = MAX_DEPTH) -> Any:
    """The value of a JSON text; `what` names the text in messages.

    Bytes are UTF-8 (RFC 8259, section 8.1), with U+FFFD for what is not, as in streams. A byte order mark is skipped.
    As in `json.loads`: of equal keys the last one counts, integers keep all their digits, a lone surrogate (`\\ud800`)
    stays one, and NaN and Infinity are taken.

    Raises MalformedResponseError, and nothing else, if the text is no JSON or is nested deeper than `max_depth` levels:
    the message says where and shows an excerpt, `body` is the whole text.
    """
    if not isinstance(text, str):
        text = str(text, "utf-8", "replace")
    # More than n levels need more than n openers, and 2n characters: a short event is not even counted.
    if len(text) > 2 * max_depth and text.count("[") + text.count("{") > max_depth and _depth(text) > max_depth:
        raise _too_deep(text, what)
    start = 0 if text[:1] in ("{", "[") else len(text) - len(text.lstrip(_BLANK))
    try:
        value, end = _scan(text, start)
    except RecursionError:  # `max_depth` allows more than Python does, or the caller's own stack is deep
        raise _too_deep(text, what) from None
    except ValueError as error:
        raise _not_json(text, what, error) from None
    if end != len(text) and (extra := text[end:].lstrip(_WHITESPACE)):
        raise _not_json(text, what, json.JSONDecodeError("Extra data", text, len(text) - len(extra)))
    return value


def dumps(value: Any) -> str:
    """The compact JSON text of `value`; it can always be encoded to UTF-8.

    Text goes out as it is, unless a lone surrogate is anywhere in it: then all of it is written with `\\uXXXX` (and two
    halves that meet are read back as one character). NaN and Infinity are written as `loads` reads them.

    Raises TypeError if `value` holds what is not JSON, and ValueError if it holds itself.
    """
    text = _to_unicode(value)
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return _to_ascii(value)
    return text


def _depth(text: str) -> int:
    """How deep the brackets outside strings go; each step runs in C, for answers may be large."""
    without_escaped_quotes = text.replace("\\\\", "").replace('\\"', "")
    outside_strings = "".join(without_escaped_quotes.split('"')[::2])
    brackets = outside_strings.encode("ascii", "ignore").translate(None, _NO_BRACKETS)
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0)


def _too_deep(text: str, what: str) -> MalformedResponseError:
    return MalformedResponseError(f"the {what} is JSON nested too deeply to be read: {_excerpt(text)}", body=text)


def _not_json(text: str, what: str, error: ValueError) -> MalformedResponseError:
    start = text.lstrip(_BLANK)
    if not start:
        message = f"the {what} is empty where JSON was expected"
    elif start[0] == "<" and _HTML.search(start[:1000]):  # a comment or an XML declaration may come first
        message = f"the {what} is an HTML page, not JSON (a wrong base URL, or a proxy): {_excerpt(start)}"
    elif isinstance(error, json.JSONDecodeError):
        where = f"line {error.lineno}, column {error.colno}"
        message = f"the {what} is not JSON: {error.msg} at {where}: {_excerpt(text, error.pos)}"
    else:  # an integer of more digits than `sys.set_int_max_str_digits` allows
        message = f"the {what} is JSON that cannot be read: {error}: {_excerpt(text)}"
    return MalformedResponseError(message, body=text)


def _excerpt(text: str, at: int = 0) -> str:
    """A printable piece of `text` around position `at`."""
    begin = max(0, at - _EXCERPT // 2)
    end = begin + _EXCERPT
    return f"{'…' if begin else ''}{text[begin:end]!r}{'…' if end < len(text) else ''}"
