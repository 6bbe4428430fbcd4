"""Operators: small pure functions with an inverse, for what a shape cannot say by itself.

`decode` takes what the wire holds and gives what the field holds, `encode` the other way round; either may give FAIL,
which makes the alternative it stands in not fit. Where `encode(decode(x))` may differ from `x`, the matcher keeps
`x` in the complement, so an operator need not be one to one.
"""

from __future__ import annotations

import base64
import re
import sys
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from ai_protocol_runtime.types.errors import MalformedResponseError

from . import jsontext, schemas


class _Sign:
    """A value that is no JSON."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


FAIL: Any = _Sign("FAIL")
"This shape does not fit."
KEEP: Any = _Sign("KEEP")
"It fits and says nothing: the value itself belongs in the complement."
MISSING: Any = _Sign("MISSING")
"There is nothing to write."


@dataclass(frozen=True, slots=True)
class Operator:
    name: str
    decode: Callable[[Any], Any]
    encode: Callable[[Any], Any]
    exact: bool = True
    "encode(decode(x)) is always x, so the matcher need not look"
    restated: bool = False
    "what it writes says the same in other words, and is no loss"
    words: frozenset[Any] = frozenset()
    "of a map: the unified words that it can say"


def _same(value: Any) -> Any:
    return value


def _only(test: Callable[[Any], bool]) -> Callable[[Any], Any]:
    return lambda value: value if test(value) else FAIL


def _json_value(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    if not text.strip():
        return {}
    try:
        return jsontext.loads(text)
    except MalformedResponseError:
        return FAIL


def _parsed(text: Any) -> Any:
    return _json_value(text) if isinstance(text, str) and text.strip() else FAIL


def _json_object(text: Any) -> Any:
    value = _json_value(text) if isinstance(text, str) and text.strip() else FAIL
    return value if isinstance(value, dict) else FAIL


def _like(pattern: str) -> Operator:
    head = pattern.removesuffix("*")
    guard = _only(lambda v: isinstance(v, str) and v.startswith(head))
    return Operator("like " + pattern, guard, guard)


def _among(words: str) -> Operator:
    known = frozenset(words.split())

    def guard(value: Any) -> Any:
        found = value if isinstance(value, list) else [value]
        return value if all(isinstance(v, str) and v in known for v in found) else FAIL

    return Operator("among " + words, guard, guard)


def _spelt(pattern: str) -> Operator:
    allowed = re.compile(pattern)

    def encode(value: Any) -> Any:
        if not isinstance(value, str) or allowed.fullmatch(value):
            return value
        return sha256(value.encode(errors="surrogatepass")).hexdigest()[:32]

    return Operator("spelt " + pattern, _same, encode, exact=False, restated=True)


def _rewritten(name: str, change: schemas.Change) -> Operator:
    return Operator(name, _same, lambda v: schemas.changed(v, change), exact=False, restated=True)


def _to_base64(value: Any) -> Any:
    return base64.b64encode(value.encode()).decode() if isinstance(value, str) else FAIL


def _from_base64(value: Any) -> Any:
    try:
        return base64.b64decode(value, validate=True).decode()
    except (ValueError, TypeError):
        return FAIL


def _standard_base64(value: Any) -> Any:
    return value.replace("-", "+").replace("_", "/") if isinstance(value, str) else FAIL


def _from_float32(value: Any) -> Any:
    try:
        numbers = array("f", base64.b64decode(value, validate=True))
    except (ValueError, TypeError):
        return FAIL
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tolist()


def _to_float32(value: Any) -> Any:
    try:
        numbers = array("f", value)
    except (TypeError, OverflowError):
        return FAIL
    if sys.byteorder == "big":
        numbers.byteswap()
    return base64.b64encode(numbers.tobytes()).decode()


def _from_candidates(value: Any) -> Any:
    """Each token with its likeliest others: two lists, one beside the other, as one."""
    chosen = value.get("chosenCandidates") if isinstance(value, dict) else None
    tops = value.get("topCandidates", []) if isinstance(value, dict) else None
    if not isinstance(chosen, list) or not isinstance(tops, list) or not all(isinstance(one, dict) for one in chosen):
        return FAIL
    entries = []
    for number, one in enumerate(chosen):
        top = tops[number] if number < len(tops) else None
        likely = top.get("candidates") if isinstance(top, dict) else None
        others = [_renamed(other, "logProbability", "logprob") for other in likely or () if isinstance(other, dict)]
        entries.append({**_renamed(one, "logProbability", "logprob"), "top_logprobs": others})
    return {"content": entries}


def _to_candidates(value: Any) -> Any:
    entries = value.get("content") if isinstance(value, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        return FAIL
    tops = [
        {"candidates": [_renamed(one, "logprob", "logProbability") for one in e.get("top_logprobs") or ()]}
        for e in entries
    ]
    return {
        "chosenCandidates": [_renamed(entry, "logprob", "logProbability") for entry in entries],
        "topCandidates": tops,
    }


def _renamed(entry: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    gone = ("top_logprobs", "bytes") if new == "logProbability" else ()
    return {new if key == old else key: said for key, said in entry.items() if key not in gone}


_string = _only(lambda v: isinstance(v, str))
_filled = _only(lambda v: isinstance(v, str) and v != "")
_number = _only(lambda v: isinstance(v, (int, float)) and not isinstance(v, bool))

OPERATORS: dict[str, Operator] = {
    op.name: op
    for op in (
        # any JSON value <-> its text; an empty text stands for the empty object
        Operator("json_text", jsontext.dumps, _json_value),
        # a JSON text <-> its value
        Operator("parsed", _parsed, jsontext.dumps, exact=False),
        # a JSON object <-> its text; a text that is no JSON object does not fit
        Operator("json_object", lambda v: jsontext.dumps(v) if isinstance(v, dict) else FAIL, _json_object),
        # a text, or any other JSON value that stands where a text should <-> a text
        Operator("text", lambda v: v if isinstance(v, str) else jsontext.dumps(v), _same, exact=False),
        # "x" or ["x"] <-> ["x"]
        Operator("listed", lambda v: v if isinstance(v, list) else [v], _same, exact=False),
        # base64url (RFC 4648 section 5) or standard <-> standard (section 4)
        Operator("base64", _standard_base64, _same, exact=False),
        # a text <-> its UTF-8 bytes in base64
        Operator("bytes", _to_base64, _from_base64),
        # little-endian IEEE 754 single-precision numbers in base64 <-> a list of numbers
        Operator("float32", _from_float32, _to_float32),
        # log-probabilities in two lists (chosenCandidates, topCandidates) <-> one list under `content`, the likeliest
        # others with each token
        Operator("candidates", _from_candidates, _to_candidates, exact=False),
        # true <-> false
        Operator(
            "negated",
            lambda v: (not v) if isinstance(v, bool) else FAIL,
            lambda v: (not v) if isinstance(v, bool) else FAIL,
        ),
        # guards: the value unchanged, if it is of this type
        Operator("filled", _filled, _filled),
        Operator("string", _string, _string),
        Operator("number", _number, _number),
    )
}


_MAKERS: dict[str, Callable[[str], Operator]] = {
    # a guard for strings that begin so: `like image/*`
    "like": _like,
    # a guard for these words, or lists of them
    "among": _among,
    # a text <-> itself where the pattern allows it, else a digest of it: the same for the same, others for others
    "spelt": _spelt,
    # a JSON Schema <-> one with these keywords in its description
    "described": lambda words: _rewritten("described " + words, schemas.described(words)),
    # a JSON Schema <-> one with the first of these keywords called the second
    "renamed": lambda words: _rewritten("renamed " + words, schemas.renamed(words)),
}


def find(name: str) -> Operator | None:
    """The operator of that name; some are made for the words that follow it, such as ``among a b``."""
    head, _, words = name.partition(" ")
    if head not in _MAKERS or not words:
        return OPERATORS.get(name)
    try:
        return _MAKERS[head](words.strip())
    except (ValueError, re.error):  # it cannot be made for these words
        return None


def mapping(name: str, table: dict[Any, Any]) -> Operator:
    """A map of the YAML: ``wire word: unified word`` or ``[unified words]``. Reading takes the first unified word,
    writing the first wire word that says it; a word no map knows stays as it is. Of a list, each element."""
    forward: dict[Any, Any] = {}
    back: dict[Any, Any] = {}
    for wire, unified in table.items():
        words = unified if isinstance(unified, list) else [unified]
        forward[wire] = words[0]
        for word in words:
            back.setdefault(word, wire)

    def through(words: dict[Any, Any], value: Any) -> Any:
        if isinstance(value, list):
            return [through(words, v) for v in value]
        return words.get(value, value) if isinstance(value, (str, int)) else FAIL

    def decode(value: Any) -> Any:
        return through(forward, value)

    def encode(value: Any) -> Any:
        return through(back, value)

    return Operator(name, decode, encode, exact=False, words=frozenset(back))
