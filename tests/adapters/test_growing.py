"""JSON as far as it has come: whatever the pieces, what is given is right, and stays."""

from __future__ import annotations

import json
import math
import random
import threading
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_protocol_integrations._growing import GrowingJSON, PartialObjects

TEXTS = st.text(st.characters() | st.sampled_from('"\\/\b\n\t\ud83d\ude00😀é{}[]:,'), max_size=12)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5), max_leaves=12
)
SPELLINGS = st.fixed_dictionaries(
    {
        "ensure_ascii": st.booleans(),
        "indent": st.sampled_from([None, 2]),
        "separators": st.sampled_from([None, (",", ":"), (" ,\r\n", "\t:")]),
    }
)
JSONS = st.builds(lambda value, how: json.dumps(value, **how), VALUES, SPELLINGS)
ALMOST = st.text(st.sampled_from('{}[]:,"\\ubn/ \n-+.0123eE' + "truefalsenulNaNInfinitydD8cC"), max_size=24)


def spoilt(text: str, at: int, by: str) -> str:
    at %= len(text) + 1
    return text[:at] + by + text[at + 1 :]


ANY_TEXTS = JSONS | ALMOST | st.builds(spoilt, JSONS, st.integers(0), ALMOST | TEXTS)


def fed(*pieces: str) -> GrowingJSON:
    reader = GrowingJSON()
    for piece in pieces:
        reader.feed(piece)
    return reader


def cut(text: str, seed: int) -> list[str]:
    """The text in pieces of any length, some of them empty."""
    chance = random.Random(seed)
    places = sorted(chance.choices(range(len(text) + 1), k=chance.randrange(len(text) + 1)))
    return [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]


def said(reader: GrowingJSON) -> str:
    """All that a reader tells, so that 1, 1.0 and True differ and NaN equals itself."""
    return repr((reader.value, reader.complete, reader.broken))


def within(part: Any, whole: Any, last: bool = True) -> bool:
    """Whether `part` may grow to `whole`; only the `last` of several is still growing."""
    if isinstance(part, dict) and isinstance(whole, dict):
        open_key = next(reversed(part), None) if last else None
        return list(part) == list(whole)[: len(part)] and all(
            within(part[key], whole[key], key == open_key) for key in part
        )
    if isinstance(part, list) and isinstance(whole, list):
        ends = [*[False] * (len(part) - 1), last]
        return len(part) <= len(whole) and all(map(within, part, whole, ends))
    if isinstance(part, str) and isinstance(whole, str) and last:
        return whole.startswith(part)
    if isinstance(part, int | float) and isinstance(whole, int | float) and last and not isinstance(whole, bool):
        return True  # a number so far
    return repr(part) == repr(whole)


@given(JSONS, st.integers(0))
def test_any_pieces_come_to_what_the_whole_is(text: str, seed: int) -> None:
    reader = fed(*cut(text, seed))
    assert reader.complete
    assert not reader.broken
    assert repr(reader.value) == repr(json.loads(text))


@given(ANY_TEXTS, st.integers(0))
def test_a_snapshot_depends_on_what_has_come_alone(text: str, seed: int) -> None:
    reader, come = GrowingJSON(), ""
    kept: list[tuple[Any, Any]] = []
    for piece in cut(text, seed):
        reader.feed(piece)
        come += piece
        assert said(reader) == said(fed(come)) == said(fed(*come))
        kept.append((reader.value, deepcopy(reader.value)))
    assert all(repr(value) == repr(then) for value, then in kept)


@given(ANY_TEXTS)
def test_it_takes_what_json_is(text: str) -> None:
    reader = fed(text)
    try:
        value = json.loads(text, strict=False)
    except ValueError:
        assert not reader.complete
    else:
        assert (reader.complete, reader.broken) == (True, False)
        assert repr(reader.value) == repr(value)


@given(JSONS)
def test_a_snapshot_is_within_the_whole(text: str) -> None:
    whole = json.loads(text)
    for end in range(len(text)):
        reader = fed(text[:end])
        assert not reader.broken
        assert reader.value is None or within(reader.value, whole)


@given(ANY_TEXTS)
def test_what_is_broken_stays_as_it_was(text: str) -> None:
    reader, before = GrowingJSON(), GrowingJSON()
    for end, char in enumerate(text):
        reader.feed(char)
        if reader.broken:
            assert repr(reader.value) == repr(before.value)
            assert said(fed(text)) == said(reader)
            reader.feed(text[end + 1 :])
            assert repr(reader.value) == repr(before.value)
            break
        before.feed(char)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        (" \n", None),
        ("{", {}),
        ('{"a', {}),
        ('{"a"', {}),
        ('{"a":', {}),
        ('{"a": "', {"a": ""}),
        ('{"a": "b', {"a": "b"}),
        ('{"a": "b\nc\td', {"a": "b\nc\td"}),
        ('{"a": "b\\', {"a": "b"}),
        ('{"a": "b\\n', {"a": "b\n"}),
        ('{"a": "b\\u00e', {"a": "b"}),
        ('{"a": "b\\u00e9', {"a": "bé"}),
        ('{"a": "\\ud83d', {"a": ""}),
        ('{"a": "\\ud83d\\ude0', {"a": ""}),
        ('{"a": "\\ud83d\\ude00', {"a": "😀"}),
        ('{"a": "\\ud83d!', {"a": "\ud83d!"}),
        ('{"a": "\\ud83d\\n', {"a": "\ud83d\n"}),
        ('{"a": "\\ud83d\\ud83d', {"a": "\ud83d"}),
        ('{"a": "\\ude00', {"a": "\ude00"}),
        ('{"a": tru', {}),
        ('{"a": true', {"a": True}),
        ('{"a": null', {"a": None}),
        ('{"a": -', {}),
        ('{"a": -Inf', {}),
        ('{"a": -Infinity', {"a": -math.inf}),
        ('{"a": -12', {"a": -12}),
        ('{"a": 12.', {"a": 12}),
        ('{"a": 12.5', {"a": 12.5}),
        ('{"a": 12.5e', {"a": 12.5}),
        ('{"a": 12.5e-', {"a": 12.5}),
        ('{"a": 12.5e-1', {"a": 1.25}),
        ('{"a": [', {"a": []}),
        ('{"a": [1, ', {"a": [1]}),
        ('{"a": [1, {"b": [[]', {"a": [1, {"b": [[]]}]}),
        ('{"a": 1, "b', {"a": 1}),
        ('{"a": 1, "a": [', {"a": []}),
        ('"tex', "tex"),
        ("12", 12),
    ],
)
def test_as_far_as_it_has_come(text: str, value: Any) -> None:
    reader = fed(*text)
    assert reader.value == value
    assert not reader.broken
    assert reader.complete is (text == "12")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Here you are: {", None),
        ("```json\n{}", None),
        ("{} {}", {}),
        ('{"a": 1}}', {"a": 1}),
        ('{"a": 1]', {"a": 1}),
        ('{"a": 1,}', {"a": 1}),
        ("[1,]", [1]),
        ("[,", []),
        ("{a: 1}", {}),
        ('{"a" 1}', {}),
        ('{"a": trux}', {}),
        ('{"a": 01}', {"a": 0}),
        ('{"a": 12-3}', {"a": 12}),
        ('{"a": 1.}', {"a": 1}),
        ('{"a": -}', {}),
        ('{"a": "b\\q"}', {"a": "b"}),
        ('{"a": "b\\u00g0"}', {"a": "b"}),
        ('{"a": "\\ud83d\\q"}', {"a": ""}),
        ("\N{ZERO WIDTH NO-BREAK SPACE}{}", None),
        ("[٣", []),
        (f"[{'9' * 5000}]", []),
    ],
)
def test_what_cannot_become_json(text: str, value: Any) -> None:
    for reader in (fed(text), fed(*text)):
        assert (reader.value, reader.complete, reader.broken) == (value, False, True)


def depth_of(value: Any) -> int:
    depth = 0
    while value:
        (value,) = value.values() if isinstance(value, dict) else value
        depth += 1
    return depth


def test_any_depth() -> None:
    reader = fed('{"a": [' * 100_000)
    grown = reader.value
    reader.feed("]}" * 100_000)
    assert depth_of(grown) == depth_of(reader.value) == 199_999  # the innermost is empty
    assert reader.complete


def test_what_is_closed_is_shared() -> None:
    reader = fed('{"a": [1], "b": "')
    before = reader.value
    reader.feed('c"}')
    assert (before, reader.value) == ({"a": [1], "b": ""}, {"a": [1], "b": "c"})
    assert reader.value["a"] is before["a"]


# --- whole texts, given again and again


@given(st.lists(st.tuples(st.sampled_from("abc"), ANY_TEXTS, st.integers(0)), max_size=8), st.integers(1, 3))
def test_any_texts_under_any_keys(texts: list[tuple[str, str, int]], most: int) -> None:
    objects = PartialObjects(most)
    for key, text, seed in texts:
        come = ""
        for piece in cut(text, seed):
            come += piece
            found, value = objects.read(key, come), fed(come).value
            assert repr(found) == repr(value if isinstance(value, dict) else {})


def test_only_what_is_new_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    feed = GrowingJSON.feed

    def noted(reader: GrowingJSON, text: str) -> None:
        read.append(text)
        feed(reader, text)

    monkeypatch.setattr(GrowingJSON, "feed", noted)
    objects = PartialObjects(most=2)
    assert objects.read("a", '{"a": "b') == {"a": "b"}
    assert objects.read("b", "[") == {}
    assert objects.read("a", '{"a": "bc') == objects.read("a", '{"a": "bc') == {"a": "bc"}
    assert objects.read("c", "{") == {}  # b was read longest ago
    assert objects.read("a", '{"a": "bcd"}') == {"a": "bcd"}
    assert objects.read("b", "[]") == {}
    assert objects.read("b", '{"b": 1') == {"b": 1}
    assert read == ['{"a": "b', "[", "c", "", "{", 'd"}', "[]", '{"b": 1']


def test_threads_may_share_it() -> None:
    objects, wrong = PartialObjects(most=2), list[Any]()

    def read(key: str) -> None:
        text = json.dumps({"key": key * 20})
        for end in range(len(text) + 1):
            found = objects.read(key, text[:end])
            if repr(found) != repr(fed(text[:end]).value or {}):
                wrong.append((text[:end], found))

    threads = [threading.Thread(target=read, args=(key,)) for key in "aabbcc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
