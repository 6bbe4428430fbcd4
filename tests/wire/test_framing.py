"""Framings: examples with the section of the WHATWG HTML text (9.2) they come from, and properties over any cut."""

from __future__ import annotations

import itertools
import json
import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ai_protocol_runtime.types.errors import ArgumentError, MalformedResponseError
from ai_protocol_runtime.wire import framing as module
from ai_protocol_runtime.wire.framing import (
    FRAMINGS,
    Frame,
    FrameDecoder,
    JSONArrayDecoder,
    NDJSONDecoder,
    SSEDecoder,
    frame_decoder,
    frame_encoder,
)


def read(decoder: FrameDecoder, *chunks: bytes) -> list[Frame]:
    return [frame for chunk in chunks for frame in decoder.feed(chunk)] + decoder.close()


def sse(*chunks: bytes) -> list[Frame]:
    return read(SSEDecoder(), *chunks)


def pieces(body: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted({cut % (len(body) + 1) for cut in cuts}), len(body)]
    return [body[a:b] for a, b in itertools.pairwise(places)]


def reference(body: bytes) -> tuple[list[Frame], str]:
    """The WHATWG text as it stands, over a whole body, with the two departures; (events, stray lines)."""
    text = body.decode("utf-8", "replace").removeprefix("\ufeff")
    lines = re.split("\r\n|\n|\r", text)
    frames: list[Frame] = []
    event, data, stray = "", "", ""
    for line in [*lines, ""]:  # departure: the end of the body ends an event
        if line == "":
            if data.removesuffix("\n") != "":  # departure: the standard has `data != ""`
                frames.append((event or None, data.removesuffix("\n")))
            event, data = "", ""
            continue
        field, value = line, ""
        if ":" in line:
            field, value = line.split(":", 1)
            if value[:1] == " ":
                value = value[1:]
        if field == "event":
            event = value
        elif field == "data":
            data += value + "\n"
        elif field not in ("id", "retry", ""):
            stray += line + "\n"
    return frames, stray.strip()


cut_lists = st.lists(st.integers(0, 10_000), max_size=12)
sse_fragments = st.sampled_from(
    [
        b"data: {",
        b"data:",
        b"data",
        b"data: ",
        b"event: ",
        b"event",
        b"id: 7",
        b"retry: 10",
        b": note",
        b":",
        b" ",
        b"\n",
        b"\n\n",
        b"\r",
        b"\r\n",
        b"\r\n\r\n",
        b"\xef\xbb\xbf",
        b"\xef\xbb",
        b"\xf0\x9f\x98\x80",
        b"\xc3",
        b"\xff",
        b"x",
        b"}",
        "\u2028".encode(),
        "\u0085".encode(),
        b"\x0b",
        b"\x0c",
        b"\x00",
        b'data: {"a":1}\n\n',
        b"event: e\ndata: {}\n\n",
        b"<p>",
    ]
)
sse_bodies = st.one_of(st.binary(max_size=60), st.lists(sse_fragments, max_size=25).map(b"".join))


@given(sse_bodies, cut_lists)
@example(b"data: {}\r\n\r\ndata: {}\n\n", list(range(30)))
@example(b'data: {}\n\n\xef\xbb\xbfdata: {}\n\ndata: {"b":2}\n\n', [10])
def test_sse_is_what_the_standard_says_for_any_bytes_and_any_cut(body: bytes, cuts: list[int]) -> None:
    decoder = SSEDecoder()
    assert (read(decoder, *pieces(body, cuts)), decoder.stray) == reference(body)


@given(st.lists(st.lists(sse_fragments, max_size=8).map(b"".join), max_size=8))
def test_sse_whole_reads_take_the_fast_path_and_agree(chunks: list[bytes]) -> None:
    decoder = SSEDecoder()
    assert (read(decoder, *chunks), decoder.stray) == reference(b"".join(chunks))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        # 9.2.5: lines end in CRLF, LF or CR
        (b"data: a\n\ndata: b\r\n\r\ndata: c\r\r", [(None, "a"), (None, "b"), (None, "c")]),
        (b"data: a\r\n\ndata: b\n\r\n", [(None, "a"), (None, "b")]),
        # ... and in nothing else: NEL, LS, PS, VT, FF are data
        ("data: a\u0085b\u2028c\u2029d\x0be\x0cf\n\n".encode(), [(None, "a\u0085b\u2028c\u2029d\x0be\x0cf")]),
        # 9.2.6: one leading byte order mark is stripped, and only at the start
        (b"\xef\xbb\xbfdata: a\n\n", [(None, "a")]),
        (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n", []),
        (b"data: \xef\xbb\xbfa\n\n\xef\xbb\xbfdata: b\n\n", [(None, "\ufeffa")]),
        # 9.2.6: a line that starts with a colon is ignored
        (b": OPENROUTER PROCESSING\n\n:\n: \ndata: a\n:data: b\n\n", [(None, "a")]),
        # 9.2.6: data lines are joined with LF, without the last one
        (b"data: YHOO\ndata: +2\ndata: 10\n\n", [(None, "YHOO\n+2\n10")]),
        (b"data: a\ndata:\n\n", [(None, "a\n")]),
        (b"data\ndata\n\n", [(None, "\n")]),
        # 9.2.6: one space after the colon is removed, no more, and no tab
        (
            b"data:test\n\ndata: test\n\ndata:  test\n\ndata:\ttest\n\n",
            [(None, s) for s in ("test", "test", " test", "\ttest")],
        ),
        # 9.2.6: the rest of the line is the value, colons and all
        (b"data:a:b: c\n\n", [(None, "a:b: c")]),
        # 9.2.6: field names are compared literally
        (b"Data: a\n data: b\ndata : c\n\n", []),
        # 9.2.6: event names belong to one event; the last one counts; an empty one is none
        (b"event: x\ndata: a\n\ndata: b\n\n", [("x", "a"), (None, "b")]),
        (b"event: x\nevent: y\ndata: a\n\nevent: x\nevent\ndata: b\n\n", [("y", "a"), (None, "b")]),
        (b"data: a\nevent: x\n\n", [("x", "a")]),
        # 9.2.6: no data, no event, and the name is forgotten
        (b"event: x\n\ndata: a\n\n", [(None, "a")]),
        # 9.2.6: id and retry are read
        (b"id: 1\nretry: 3000\ndata: a\nid\nretry: soon\n\n", [(None, "a")]),
        # departure: empty data is no event (the standard would give an empty message)
        (b"data:\n\ndata\n\ndata: \n\nevent: x\ndata: \n\n", []),
        # departure: the end of the body ends an event
        (b"data: a", [(None, "a")]),
        (b"event: x\r\ndata: a\r\n", [("x", "a")]),
        (b"data: a\ndata: \xf0\x9f", [(None, "a\n\ufffd")]),
        (b"", []),
    ],
)
def test_sse_examples(body: bytes, expected: list[Frame]) -> None:
    assert sse(body) == expected
    assert sse(*(bytes([byte]) for byte in body)) == expected
    assert reference(body)[0] == expected


def test_sse_gives_an_event_with_the_byte_that_completes_it() -> None:
    decoder = SSEDecoder()
    assert decoder.feed(b"data: a\r\n") == []
    assert decoder.feed(b"\r") == [(None, "a")]  # not only when the LF comes
    assert decoder.feed(b"\ndata: {}\n\n") == [(None, "{}")]
    assert decoder.feed(b"") == []


def test_sse_complete() -> None:
    decoder = SSEDecoder()
    for chunk, complete in [
        (b"", True),
        (b"data", False),
        (b": 1\n", False),
        (b"\n", True),
        (b": x\n", True),
        (b"\xc3", False),
    ]:
        decoder.feed(chunk)
        assert decoder.complete is complete
    decoder.close()
    assert not decoder.complete
    whole = SSEDecoder()
    assert read(whole, b"data: {}\n\n") == [(None, "{}")]
    assert whole.complete


@pytest.mark.parametrize("framing", ["sse", "json-array"])
def test_a_body_that_is_no_stream_does_not_vanish(framing: str) -> None:
    body = "<!DOCTYPE html>\n<html>\n<style>b { color: red } i [x]</style>\n<b>Bad gateway</b>\n</html>"
    decoder = frame_decoder(framing)
    assert read(decoder, *pieces(body.encode(), [3, 20, 41])) == []
    assert decoder.stray == body


def test_sse_json_body_is_stray_and_can_be_read() -> None:
    error = {"error": {"message": "no such model", "code": 404}}
    for body in (json.dumps(error), json.dumps(error, indent=2), json.dumps(error, indent=2).replace("\n", "\r\n")):
        decoder = SSEDecoder()
        assert read(decoder, body.encode()) == []
        assert json.loads(decoder.stray) == error


def test_sse_stray_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_STRAY", 10)
    decoder = SSEDecoder()
    read(decoder, *[b"abcdef\n"] * 100)
    assert decoder.stray == "abcdef\nabc"
    assert len(decoder._stray) == 2


@pytest.mark.parametrize(
    "body", [b'{"a":1}\n{"b":2}\n', b'\xef\xbb\xbf{"a":1}\r\n\r\n \n{"b":2}', b'\n\n {"a":1} \n{"b":2}\r']
)
def test_ndjson(body: bytes) -> None:
    for chunks in ([body], [bytes([byte]) for byte in body]):
        assert read(NDJSONDecoder(), *chunks) == [(None, '{"a":1}'), (None, '{"b":2}')]


def test_ndjson_last_line_without_its_end() -> None:
    decoder = NDJSONDecoder()
    assert decoder.feed(b'{"a":1}\n{"b"') == [(None, '{"a":1}')]
    assert not decoder.complete
    assert decoder.close() == [(None, '{"b"')]
    assert (decoder.complete, decoder.stray) == (False, "")
    assert NDJSONDecoder().close() == []
    assert sse_free(NDJSONDecoder(), "1\u20282\u00853\n".encode()) == ["1\u20282\u00853"]


def sse_free(decoder: FrameDecoder, *chunks: bytes) -> list[str]:
    """The data of events that have no names."""
    frames = read(decoder, *chunks)
    assert all(name is None for name, _ in frames)
    return [data for _, data in frames]


@pytest.mark.parametrize(
    ("body", "expected", "stray"),
    [
        (
            '[{"a": [1, 2, {"b": "]}"}]}\n,\r\n{"c": "\\"}, {\\\\"}]',
            ['{"a": [1, 2, {"b": "]}"}]}', '{"c": "\\"}, {\\\\"}'],
            "",
        ),
        ("[]", [], ""),
        (" \n[ \r\n ] \n", [], ""),
        (
            '\ufeff[1, -2.5e3 ,true,null , "a, \\u005d]" , [], {} ]',
            ["1", "-2.5e3", "true", "null", '"a, \\u005d]"', "[]", "{}"],
            "",
        ),
        ('{"error": {"code": [401]}}', ['{"error": {"code": [401]}}'], ""),
        ("[1] x ", ["1"], "x"),
        ("{} [2]", ["{}"], "[2]"),
        ('["é😀\\\\"]', ['"é😀\\\\"'], ""),
        ('"[1]"', [], '"[1]"'),
        ("", [], ""),
    ],
)
def test_json_array(body: str, expected: list[str], stray: str) -> None:
    data = body.encode()
    for chunks in ([data], [bytes([byte]) for byte in data], *([data[:at], data[at:]] for at in range(len(data)))):
        decoder = JSONArrayDecoder()
        assert sse_free(decoder, *chunks) == expected
        assert decoder.stray == stray
        assert decoder.complete is body.strip("\ufeff \r\n").startswith(("[", "{"))


def test_json_array_gives_an_element_with_its_last_character() -> None:
    decoder = JSONArrayDecoder()
    assert decoder.feed(b'[{"a": "x') == []
    assert decoder.feed(b'"}') == [(None, '{"a": "x"}')]
    assert decoder.feed(b', 12, {"b"') == [(None, "12")]
    assert (decoder.close(), decoder.complete) == ([], False)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
indents = st.sampled_from([None, 1])


@given(st.lists(json_values, max_size=5), indents, st.booleans(), cut_lists)
def test_json_array_is_the_array(values: list[object], indent: int | None, ascii_only: bool, cuts: list[int]) -> None:
    body = json.dumps(values, indent=indent, ensure_ascii=ascii_only).encode()
    decoder = JSONArrayDecoder()
    assert [json.loads(text) for text in sse_free(decoder, *pieces(body, cuts))] == values
    assert decoder.complete


@given(st.binary(max_size=40) | st.text('[]{},"\\ 1', max_size=40).map(str.encode), cut_lists)
def test_json_array_of_any_bytes_does_not_depend_on_cuts(body: bytes, cuts: list[int]) -> None:
    whole, cut = JSONArrayDecoder(), JSONArrayDecoder()
    assert read(whole, body) == read(cut, *pieces(body, cuts))
    assert (whole.complete, whole.stray) == (cut.complete, cut.stray)


@given(st.binary(max_size=60), cut_lists)
def test_ndjson_of_any_bytes_does_not_depend_on_cuts(body: bytes, cuts: list[int]) -> None:
    lines = [line.strip(" \t\n\r") for line in body.decode("utf-8", "replace").removeprefix("\ufeff").split("\n")]
    assert sse_free(NDJSONDecoder(), *pieces(body, cuts)) == [line for line in lines if line]


names = st.none() | st.text(st.characters(exclude_characters="\r\n", codec="utf-8"), min_size=1)


@given(st.lists(st.tuples(names, json_values, indents), max_size=6), cut_lists)
def test_encode_then_decode_is_identity(events: list[tuple[str | None, object, int | None]], cuts: list[int]) -> None:
    for framing in FRAMINGS:
        encoder, decoder = frame_encoder(framing), frame_decoder(framing)
        texts = [(name, json.dumps(value, indent=indent, ensure_ascii=False)) for name, value, indent in events]
        body = b"".join(encoder.encode(*event) for event in texts) + encoder.end()
        frames = read(decoder, *pieces(body, cuts))
        if framing == "sse":
            assert frames == texts
        else:
            assert [(None, value) for _, value, _ in events] == [(name, json.loads(data)) for name, data in frames]
        assert decoder.complete
        assert decoder.stray == ""


def test_encoders_write() -> None:
    encoder = frame_encoder("sse")
    assert encoder.encode(None, "[DONE]") == b"data: [DONE]\n\n"
    assert encoder.encode("x", "{\n}") == b"event: x\ndata: {\ndata: }\n\n"
    assert encoder.encode(None, "{\r\n1\r2}") == b"data: {\ndata: 1\ndata: 2}\n\n"
    assert encoder.end() == b""
    with pytest.raises(ArgumentError, match="one line"):
        encoder.encode("x\ndata: y", "{}")
    assert frame_encoder("ndjson").encode("x", "{\n}") == b"{ }\n"
    array = frame_encoder("json-array")
    assert array.encode("x", "{}") + array.encode(None, "1") + array.end() == b"[{},\n1]"
    assert frame_encoder("json-array").end() == b"[]"


def test_unknown_framing_is_named_with_the_known_ones() -> None:
    for make in (frame_decoder, frame_encoder):
        with pytest.raises(ArgumentError, match="'ssee'; there are sse, ndjson, json-array"):
            make("ssee")


@pytest.mark.parametrize("framing", FRAMINGS)
@given(size=st.integers(80, 120), name=names, cuts=cut_lists)
def test_the_limit_holds_wherever_the_bytes_are_cut(framing: str, size: int, name: str | None, cuts: list[int]) -> None:
    encoder = frame_encoder(framing)
    body = encoder.encode(None, "{}") + encoder.encode(None, '"' + "é" * (size - 2) + '"') + encoder.end()
    overhead = {"sse": len("data: "), "ndjson": 0, "json-array": len("\n")}[framing]
    decoder = frame_decoder(framing, max_event=100)
    if size + overhead > 100:
        with pytest.raises(MalformedResponseError, match="larger than 100 characters"):
            read(decoder, *pieces(body, cuts))
    else:
        assert len(read(decoder, *pieces(body, cuts))) == 2


@pytest.mark.parametrize("framing", FRAMINGS)
def test_an_endless_line_is_bounded(framing: str) -> None:
    decoder, fed = frame_decoder(framing, max_event=1_000_000), 0
    start = {"sse": b"data: {", "ndjson": b"{", "json-array": b"[{"}[framing]
    with pytest.raises(MalformedResponseError):  # noqa: PT012
        decoder.feed(start)
        while fed < 50_000_000:
            decoder.feed(b'"x":1,' * 10_000)
            fed += 60_000
    assert fed < 1_100_000


def test_endless_data_lines_are_bounded() -> None:
    decoder = SSEDecoder(max_event=1000)
    with pytest.raises(MalformedResponseError):  # noqa: PT012
        for _ in range(200):
            decoder.feed(b"data: x\n")


def test_fifty_megabytes_in_one_event_pass_below_the_limit() -> None:
    for framing, start, end in (("sse", b"data: ", b"\n\n"), ("ndjson", b"", b"\n"), ("json-array", b"[", b"]")):
        decoder = frame_decoder(framing)
        frames = read(decoder, start + b'"', *[b"x" * 65_536] * 800, b'"' + end)
        assert [len(data) for _, data in frames] == [2 + 65_536 * 800]


@pytest.mark.parametrize("framing", FRAMINGS)
def test_one_byte_reads_are_linear(framing: str) -> None:
    def seconds(size: int) -> float:
        body = frame_encoder(framing).encode(None, '{"a":"' + "\\n" * size + '"}')
        best = 1e9
        for _ in range(3):
            decoder, start = frame_decoder(framing), time.process_time()
            for byte in range(len(body)):
                decoder.feed(body[byte : byte + 1])
            best = min(best, time.process_time() - start)
        return best

    assert seconds(80_000) < 8 * 2.5 * seconds(10_000)


def test_many_data_lines_in_small_reads_are_linear() -> None:
    decoder, start = SSEDecoder(), time.process_time()
    for _ in range(100_000):
        decoder.feed(b"data:\n")
    assert len(decoder.feed(b"\n")[0][1]) == 99_999
    assert time.process_time() - start < 5
