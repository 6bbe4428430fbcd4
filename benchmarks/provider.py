"""A provider that costs next to nothing: every answer is encoded before it is asked for.

``python provider.py`` serves on a free loopback port, which it prints. The model's name says what comes back: ``call``
a short whole answer, ``text-2000`` a stream of as many text deltas, ``tool-2000`` one of tool-argument fragments. Each
event is an HTTP chunk and a write of its own.
"""

from __future__ import annotations

import asyncio
import json
from functools import cache
from typing import Any

WORD = " word"
USAGE = {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21}
TEXT = "The river runs slowly past the old mill."


def arguments(n: int) -> list[str]:
    """The JSON text of a tool call in `n` fragments."""
    return ['{"text": "', *[WORD] * (n - 2), '"}']


def chat_chunk(delta: dict[str, Any] | None, finish: str | None = None, usage: Any = None) -> str:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    chunk = {
        "id": "chatcmpl-CbX2uJ4RkLq0WvT8nYpZsMdE1fGhI",
        "object": "chat.completion.chunk",
        "created": 1761000000,
        "model": "bench-2026-01-01",
        "service_tier": "default",
        "system_fingerprint": "fp_0123456789",
        "choices": [] if delta is None else [choice],
        "usage": usage,
        "obfuscation": "aB3dE5gH7",
    }
    return f"data: {json.dumps(chunk, separators=(',', ':'))}\n\n"


def chat(kind: str, n: int) -> list[str]:
    call = {"id": "call_1", "type": "function", "function": {"name": "note", "arguments": ""}}
    deltas: list[dict[str, Any]]
    if kind == "text":
        deltas = [{"role": "assistant", "content": ""}, *[{"content": WORD}] * n]
    else:
        fragments = [{"tool_calls": [{"index": 0, "function": {"arguments": text}}]} for text in arguments(n)]
        deltas = [{"role": "assistant", "content": None, "tool_calls": [{"index": 0, **call}]}, *fragments]
    end = [
        chat_chunk({}, "stop" if kind == "text" else "tool_calls"),
        chat_chunk(None, usage=USAGE),
        "data: [DONE]\n\n",
    ]
    return [chat_chunk(delta) for delta in deltas] + end


def chat_whole() -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": TEXT, "refusal": None, "annotations": []}
    return {
        "id": "chatcmpl-CbX2uJ4RkLq0WvT8nYpZsMdE1fGhI",
        "object": "chat.completion",
        "created": 1761000000,
        "model": "bench-2026-01-01",
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": USAGE,
        "service_tier": "default",
        "system_fingerprint": "fp_0123456789",
    }


def messages_event(kind: str, **data: Any) -> str:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **data}, separators=(',', ':'))}\n\n"


def messages(kind: str, n: int) -> list[str]:
    started = {**messages_whole(), "content": [], "stop_reason": None, "usage": {"input_tokens": 9, "output_tokens": 1}}
    if kind == "text":
        block: dict[str, Any] = {"type": "text", "text": ""}
        deltas = [{"type": "text_delta", "text": WORD}] * n
    else:
        block = {"type": "tool_use", "id": "toolu_1", "name": "note", "input": {}}
        deltas = [{"type": "input_json_delta", "partial_json": text} for text in arguments(n)]
    stop = {"stop_reason": "end_turn" if kind == "text" else "tool_use", "stop_sequence": None}
    return [
        messages_event("message_start", message=started),
        messages_event("content_block_start", index=0, content_block=block),
        *[messages_event("content_block_delta", index=0, delta=delta) for delta in deltas],
        messages_event("content_block_stop", index=0),
        messages_event("message_delta", delta=stop, usage={"output_tokens": 12}),
        messages_event("message_stop"),
    ]


def messages_whole() -> dict[str, Any]:
    return {
        "id": "msg_01AbCdEfGhIjKlMnOpQrStUv",
        "type": "message",
        "role": "assistant",
        "model": "bench-2026-01-01",
        "content": [{"type": "text", "text": TEXT}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 9, "output_tokens": 12},
    }


@cache
def answer(path: str, model: str) -> list[bytes]:
    """What goes over the line, write by write."""
    stream, whole = (messages, messages_whole) if path.endswith("/messages") else (chat, chat_whole)
    if model == "call":
        body = json.dumps(whole()).encode()
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        return [head.encode() + body]
    kind, _, n = model.partition("-")
    events = [event.encode() for event in stream(kind, int(n))]
    head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    return [head.encode(), *[b"%x\r\n%s\r\n" % (len(event), event) for event in events], b"0\r\n\r\n"]


class Connection(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.received = b""

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, found, body = self.received.partition(b"\r\n\r\n")
        if not found:
            return
        lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:])
        length = int(headers.get("content-length", 0))
        if len(body) < length:
            return
        self.received = body[length:]
        for piece in answer(lines[0].split()[1], json.loads(body[:length])["model"]):
            self.transport.write(piece)


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
