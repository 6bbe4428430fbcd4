"""JSON text: equal to the standard library where that reads it, one clear error where it does not."""

from __future__ import annotations

import json
import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_protocol_runtime.types.errors import MalformedResponseError
from ai_protocol_runtime.wire.jsontext import MAX_DEPTH, dumps, loads

surrogates = st.characters(categories=["Cs"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters() | surrogates),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
spaces = st.text(" \t\r\n", max_size=3)


@given(values, spaces, spaces, st.booleans(), st.sampled_from([None, 2]))
def test_reads_what_json_reads(value: object, before: str, after: str, ascii_only: bool, indent: int | None) -> None:
    text = before + json.dumps(value, ensure_ascii=ascii_only, indent=indent) + after
    assert loads(text) == json.loads(text)


@given(st.binary() | st.text('{}[]",:\\ 0truenlNaN-e.', max_size=30).map(str.encode))
def test_any_bytes_are_a_value_or_the_one_error(data: bytes) -> None:
    text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    try:
        expected = json.loads(text)
    except ValueError:
        with pytest.raises(MalformedResponseError):
            loads(data)
    else:
        assert repr(loads(data)) == repr(expected)


@given(values)
def test_dumps_then_loads_is_identity_and_can_be_sent(value: object) -> None:
    text = dumps(value)
    assert (
        loads(text.encode()) == json.loads(json.dumps(value)) == loads(text)
    )  # where two surrogates meet, not `value`


def test_dumps_is_compact_and_plain_unless_there_is_a_lone_surrogate() -> None:
    assert dumps({"a": [1, "é", None]}) == '{"a":[1,"é",null]}'
    assert dumps(["é", "\ud800"]) == '["\\u00e9","\\ud800"]'
    assert dumps([math.nan, math.inf]) == "[NaN,Infinity]"
    with pytest.raises(TypeError):
        dumps({1, 2})


def test_the_corners_that_other_readers_round_off() -> None:
    assert loads("123456789012345678901234567890") == 123456789012345678901234567890
    assert loads('{"a":1,"a":2}') == {"a": 2}
    assert loads('"\\ud800"') == "\ud800"
    assert math.isnan(loads("NaN"))
    assert loads("[Infinity, -Infinity, 1e999]") == [math.inf, -math.inf, math.inf]
    assert loads(b'\xef\xbb\xbf {"a": "\xff"} ') == {"a": "\ufffd"}


@pytest.mark.parametrize("unit", ["[", '{"a":', '[{"a":', '{"[":['])
def test_nesting_is_bounded(unit: str) -> None:
    closing = "".join({"[": "]", "{": "}"}[c] for c in reversed(unit.replace('"["', "")) if c in "[{")
    for levels in (100_000, 100_000 // len(closing)):
        for text in (unit * levels, unit * levels + "1" + closing * levels):
            with pytest.raises(MalformedResponseError, match="the answer is JSON nested too deeply"):
                loads(text)
            with pytest.raises(MalformedResponseError):  # the interpreter's own limit, or the end of the text
                loads(unit * levels, max_depth=10**9)
    fits = MAX_DEPTH // len(closing)
    assert loads(unit * fits + "1" + closing * fits)


def test_depth_is_exact() -> None:
    for levels in range(6):
        text = "[" * levels + "1" + "]" * levels
        padded = "[" + '"[[",' * 10 + text + "]"
        assert loads(padded, max_depth=levels + 1)
        with pytest.raises(MalformedResponseError):
            loads(padded, max_depth=levels)


def test_brackets_in_strings_and_side_by_side_are_no_depth() -> None:
    values: list[list[object]] = [
        ["[{" * 1000, '"[[[[[' * 1000, "\\" * 1001 + '"['],
        [[]] * 1000,
        [{"a": '\\"{'}] * 1000,
    ]
    for value in values:
        assert loads(json.dumps(value)) == value


def test_hostile_texts_are_linear() -> None:
    start = time.process_time()
    for text in ('"' + '\\"' * 5_000_000, "[]" * 2_000_000, '"[' * 2_000_000, "[" * 5_000_000, " " * 10_000_000):
        with pytest.raises(MalformedResponseError):
            loads(text)
    assert time.process_time() - start < 10


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the event is empty where JSON was expected"),
        (b" \r\n", "the event is empty where JSON was expected"),
        ('{"a": 1,}', r"""the event is not JSON: .* at line 1, column \d: '{"a": 1,}'"""),
        ('\n\n  {"a": tru}', r"""the event is not JSON: Expecting value at line 3, column 9: .*tru}'"""),
        ('{"a": 1} {"b": 2}', "the event is not JSON: Extra data at line 1, column 10"),
        ('{"a": "x', "the event is not JSON: Unterminated string"),
        ("upstream connect error", "the event is not JSON: .* at line 1, column 1: 'upstream connect error'"),
        ("<!DOCTYPE html>\n<p>502", "the event is an HTML page, not JSON .*: '<!DOCTYPE html>"),
        (b"\xef\xbb\xbf <HTML lang=en>", "the event is an HTML page"),
        ("<?xml version='1.0'?>\n<!doctype html PUBLIC>", "the event is an HTML page"),
        ("<error>no</error>", "the event is not JSON"),
        ('"\x00"', "the event is not JSON: Invalid control character"),
        ("[" + "9" * 5000 + "]", "the event is JSON that cannot be read: Exceeds the limit"),
        (b"\xff\xfe{\x00}\x00", "the event is not JSON"),
    ],
)
def test_messages(text: str | bytes, message: str) -> None:
    with pytest.raises(MalformedResponseError, match=message) as caught:
        loads(text, what="event")
    assert caught.value.body == (text if isinstance(text, str) else text.decode("utf-8", "replace"))
    assert len(str(caught.value)) < 400
    assert caught.value.retryable


def test_a_long_text_is_shown_by_an_excerpt_around_the_place() -> None:
    with pytest.raises(MalformedResponseError) as caught:
        loads('{"a": "' + "x" * 1000 + '", oops' + "y" * 1000)
    assert "…'" in str(caught.value)
    assert "oops" in str(caught.value)
    assert len(str(caught.value)) < 250
