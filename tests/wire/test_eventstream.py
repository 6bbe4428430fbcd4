"""The binary framing, byte by byte as its specification has it: messages made by hand, damaged, and cut anywhere."""

from __future__ import annotations

import itertools
import json
import struct
import time
from binascii import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_protocol_runtime.types.errors import ArgumentError, MalformedResponseError
from ai_protocol_runtime.wire.framing import Frame, FrameDecoder, frame_decoder, frame_encoder

FRAMING = "eventstream"


def message(headers: dict[str, object], payload: bytes = b"") -> bytes:
    """A message, put together as the specification describes it."""
    block = b"".join(bytes([len(name)]) + name.encode() + _value(value) for name, value in headers.items())
    prelude = struct.pack(">I", 16 + len(block) + len(payload)) + struct.pack(">I", len(block))
    body = prelude + struct.pack(">I", crc32(prelude)) + block + payload
    return body + struct.pack(">I", crc32(body))


def _value(value: object) -> bytes:
    if isinstance(value, str):
        return b"\x07" + struct.pack(">H", len(value.encode())) + value.encode()
    assert isinstance(value, bytes)  # a type and a value as they stand
    return value


def event(name: str, payload: object) -> bytes:
    headers = {":event-type": name, ":content-type": "application/json", ":message-type": "event"}
    return message(dict(headers), json.dumps(payload, ensure_ascii=False).encode())


def read(decoder: FrameDecoder, *chunks: bytes) -> list[Frame]:
    return [frame for chunk in chunks for frame in decoder.feed(chunk)] + decoder.close()


def frames(*chunks: bytes) -> list[Frame]:
    return read(frame_decoder(FRAMING), *chunks)


def pieces(body: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted({cut % (len(body) + 1) for cut in cuts}), len(body)]
    return [body[a:b] for a, b in itertools.pairwise(places)]


# https://docs.aws.amazon.com/lexv2/latest/dg/event-stream-encoding.html, and the vectors that AWS's own libraries share
EMPTY = bytes.fromhex("00000010 00000000 05c248eb 7d98c8ff")
PAYLOAD = bytes.fromhex("0000001d 00000000 fd528c5a 7b27666f6f273a27626172277d c3653936")
ALL_HEADERS = {
    "true": b"\x00",
    "false": b"\x01",
    "byte": b"\x02\xcf",
    "short": b"\x03\xd1\x22",
    "integer": b"\x04\x00\x01\x02\x03",
    "long": b"\x05" + bytes(8),
    "bytes": b"\x06\x00\x03abc",
    "time": b"\x08" + bytes(8),
    "uuid": b"\x09" + bytes(16),
    ":event-type": "x",
}


def test_vectors_of_the_specification() -> None:
    assert message({}) == EMPTY
    assert frames(EMPTY) == [(None, "{}")]
    assert frames(PAYLOAD) == [(None, "{'foo':'bar'}")]
    assert frames(PAYLOAD + EMPTY + PAYLOAD) == [(None, "{'foo':'bar'}"), (None, "{}"), (None, "{'foo':'bar'}")]


def test_an_event_has_its_type_as_a_name() -> None:
    body = event("messageStart", {"role": "assistant"}) + event("contentBlockDelta", {"delta": {"text": "größer ☃"}})
    assert frames(body) == [
        ("messageStart", '{"role": "assistant"}'),
        ("contentBlockDelta", '{"delta": {"text": "größer ☃"}}'),
    ]


def test_headers_of_every_type_are_read_over() -> None:
    assert frames(message(dict(ALL_HEADERS), b"{}")) == [("x", "{}")]


def test_what_is_not_utf8_is_replaced() -> None:
    assert frames(message({":event-type": "x"}, b'"\xff"')) == [("x", '"\ufffd"')]


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (b'{"message":"slow down"}', {"__type": "throttlingException", "message": "slow down"}),
        (b' { "message" : "a" } ', {"__type": "throttlingException", "message": "a"}),
        (b"{}", {"__type": "throttlingException"}),
        (b"{ }", {"__type": "throttlingException"}),
        (b"", {"__type": "throttlingException"}),
        (b"plain words", {"__type": "throttlingException", "message": "plain words"}),
        (b'{"__type":"of its own"}', {"__type": "of its own"}),
    ],
)
def test_an_exception_is_an_event_named_by_its_type(payload: bytes, said: object) -> None:
    headers = {":message-type": "exception", ":exception-type": "throttlingException"}
    ((name, data),) = frames(message(dict(headers), payload))
    assert name == "throttlingException"
    assert json.loads(data) == said


def test_a_failure_without_a_type_is_an_error() -> None:
    headers = {":message-type": "error", ":error-code": "InternalFailure", ":error-message": 'it "broke"'}
    ((name, data),) = frames(message(dict(headers)))
    assert name == "error"
    assert json.loads(data) == {"__type": "InternalFailure", "message": 'it "broke"'}
    assert frames(message({":message-type": "exception"})) == [("error", '{"__type":"error"}')]


def test_every_damaged_bit_is_noticed() -> None:
    body = event("x", {"a": "b"})
    for place in range(len(body)):
        for bit in range(8):
            damaged = bytearray(body)
            damaged[place] ^= 1 << bit
            decoder = frame_decoder(FRAMING)
            try:
                found = read(decoder, bytes(damaged))
            except MalformedResponseError:
                continue
            assert found == []
            assert place == 0  # the first byte alone says whether this is a text
            assert decoder.stray


def test_checksums_are_told_apart() -> None:
    body = bytearray(event("x", {}))
    body[9] ^= 1
    with pytest.raises(MalformedResponseError, match="damaged: the checksum of a prelude"):
        frames(bytes(body))
    body[9] ^= 1
    body[-6] ^= 1
    with pytest.raises(MalformedResponseError, match="damaged: the checksum of a message"):
        frames(bytes(body))


def test_a_damaged_prelude_is_noticed_before_its_message_is_there() -> None:
    decoder = frame_decoder(FRAMING)
    with pytest.raises(MalformedResponseError, match="prelude"):
        decoder.feed(struct.pack(">III", 4_000_000, 100, 0))


@pytest.mark.parametrize(
    "block",
    [b"\x05ab", b"\x01a", b"\x01a\x07", b"\x01a\x07\x00\x09short", b"\x01a\x0a", b"\x01a\x05\x00", b"\x00\x07\x00"],
)
def test_headers_that_cannot_be_read(block: bytes) -> None:
    prelude = struct.pack(">II", 16 + len(block), len(block))
    body = prelude + struct.pack(">I", crc32(prelude)) + block
    with pytest.raises(MalformedResponseError, match="headers"):
        frames(body + struct.pack(">I", crc32(body)))


@pytest.mark.parametrize(("total", "headers"), [(15, 0), (0, 0), (20, 5), (200_000, 131_073)])
def test_lengths_that_cannot_be(total: int, headers: int) -> None:
    prelude = struct.pack(">II", total, headers)
    with pytest.raises(MalformedResponseError, match=f"{total} bytes cannot have {headers}"):
        frames(prelude + struct.pack(">I", crc32(prelude)))


def test_the_limit_is_for_the_payload() -> None:
    decoder = frame_decoder(FRAMING, max_event=100)
    assert len(read(decoder, message({":event-type": "x"}, b"a" * 100))) == 1
    prelude = message({":event-type": "x"}, b"a" * 101)[:12]
    with pytest.raises(MalformedResponseError, match="larger than 100 bytes"):
        decoder.feed(prelude)


@pytest.mark.parametrize("body", [b"<html>502</html>", b' {"message": "x"}', b"data: {}\n\n", b"[1]"])
def test_a_text_is_stray(body: bytes) -> None:
    for chunks in ([body], [body[i : i + 1] for i in range(len(body))]):
        decoder = frame_decoder(FRAMING)
        assert read(decoder, *chunks) == []
        assert decoder.stray == body.decode().strip()


def test_stray_text_is_bounded() -> None:
    decoder = frame_decoder(FRAMING)
    for _ in range(40):
        decoder.feed(b"x" * 65_536)
    assert len(decoder.stray) == 1024 * 1024


def test_a_body_that_is_cut_short_is_not_complete() -> None:
    body = event("x", {"a": 1})
    for end in range(1, len(body)):
        decoder = frame_decoder(FRAMING)
        assert read(decoder, body[:end]) == []
        assert not decoder.complete
        assert decoder.stray == ""
    decoder = frame_decoder(FRAMING)
    assert decoder.complete
    assert len(read(decoder, body)) == 1
    assert decoder.complete


names = st.none() | st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).filter(
    lambda name: not name.endswith("Exception")
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.tuples(names, values), max_size=5), st.lists(st.integers(0, 10_000), max_size=8))
def test_encode_then_decode_is_identity(events: list[tuple[str | None, object]], cuts: list[int]) -> None:
    encoder, decoder = frame_encoder(FRAMING), frame_decoder(FRAMING)
    texts: list[Frame] = [(name, json.dumps(value, ensure_ascii=False)) for name, value in events]
    body = b"".join(encoder.encode(name, text) for name, text in texts) + encoder.end()
    assert read(decoder, *pieces(body, cuts)) == texts
    assert decoder.complete
    assert decoder.stray == ""


def test_the_encoder_writes_what_a_server_does() -> None:
    encoder = frame_encoder(FRAMING)
    assert encoder.encode("messageStart", '{"role": "assistant"}') == event("messageStart", {"role": "assistant"})
    failed = {":exception-type": "throttlingException", ":content-type": "application/json"}
    assert encoder.encode("throttlingException", "{}") == message({**failed, ":message-type": "exception"}, b"{}")
    assert frames(encoder.encode("throttlingException", "{}")) == [
        ("throttlingException", '{"__type":"throttlingException"}')
    ]
    with pytest.raises(ArgumentError, match="too long"):
        encoder.encode("x" * 65_536, "{}")


@given(st.binary(max_size=80), st.lists(st.integers(0, 100), max_size=6))
def test_any_bytes_are_read_or_refused_however_they_are_cut(body: bytes, cuts: list[int]) -> None:
    def outcome(chunks: list[bytes]) -> object:
        decoder = frame_decoder(FRAMING)
        try:
            return read(decoder, *chunks), decoder.complete, decoder.stray
        except MalformedResponseError as error:
            return str(error)

    assert outcome([body]) == outcome(pieces(body, cuts))


def test_one_byte_reads_are_linear() -> None:
    def seconds(size: int) -> float:
        body = message({":event-type": "x"}, b"x" * size)
        best = 1e9
        for _ in range(3):
            decoder, start = frame_decoder(FRAMING), time.process_time()
            for byte in range(len(body)):
                decoder.feed(body[byte : byte + 1])
            best = min(best, time.process_time() - start)
        return best

    assert seconds(160_000) < 8 * 2.5 * seconds(20_000)


def test_many_messages_in_one_read_are_linear() -> None:
    body, start = event("x", {"a": "b" * 100}) * 20_000, time.process_time()
    assert len(frames(body)) == 20_000
    assert time.process_time() - start < 5
