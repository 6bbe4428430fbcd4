"""The order of a stream's events, which no type of a single event can say: what comes first, what must be open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any


def out_of_order(wire: str, events: list[Any]) -> list[str]:
    """What is wrong with the order of a whole stream."""
    return list(dict.fromkeys(_ORDERS[wire](events)))


_DELTAS = {
    "text_delta": ("text",),
    "citations_delta": ("text",),
    "thinking_delta": ("thinking",),
    "signature_delta": ("thinking",),
    "input_json_delta": ("tool_use", "server_tool_use", "mcp_tool_use"),
    "compaction_delta": ("compaction",),
}


def _anthropic(events: list[Any]) -> Iterator[str]:
    names = [event["type"] for event in events if event["type"] != "ping"]
    if names[:1] != ["message_start"] or names.count("message_start") > 1:
        yield "message_start is not the first event, once"
    if names[-2:] != ["message_delta", "message_stop"] or names.count("message_stop") > 1:
        yield "message_delta and message_stop are not the last events"
    kinds: dict[int, str] = {}
    still_open: set[int] = set()
    for event in events:
        name, index = event["type"], event.get("index")
        if name == "content_block_start":
            if index != len(kinds):
                yield "content_block_start: its index is not the next"
            kinds[index] = event["content_block"]["type"]
            still_open.add(index)
        elif name in ("content_block_delta", "content_block_stop") and index not in still_open:
            yield f"{name}: its block is not open"
        elif name == "content_block_delta" and kinds[index] not in _DELTAS.get(event["delta"]["type"], ()):
            yield f"{event['delta']['type']} in a block of type {kinds[index]}"
        elif name == "content_block_stop":
            still_open.discard(index)
        elif name == "message_delta" and still_open:
            yield "message_delta: a block is still open"


_LAST = ("response.completed", "response.incomplete", "response.failed")


def _responses(events: list[Any]) -> Iterator[str]:
    events = [event for event in events if event["type"] != "keepalive"]
    if not events or events[0]["type"] != "response.created":
        yield "response.created is not the first event"
    if not events or events[-1]["type"] not in _LAST:
        yield "the last event does not say how it ended"
    numbers = [event["sequence_number"] for event in events if "sequence_number" in event]
    if any(b <= a for a, b in pairwise(numbers)):
        yield "sequence_number does not rise"
    items: dict[int, dict[str, Any]] = {}
    still_open: set[Any] = set()
    for event in events:
        name, at = event["type"], event.get("output_index")
        part = (at, event.get("content_index"))
        if name == "response.output_item.added":
            if at != len(items):
                yield "response.output_item.added: its index is not the next"
            items[at] = event["item"]
            still_open.add(at)
        elif name.startswith("response.") and at is not None:
            yield from _within(event, items, still_open)
        if name == "response.content_part.added":
            still_open.add(part)
        elif name == "response.content_part.done":
            still_open.discard(part)
        elif name == "response.output_item.done":
            still_open.discard(at)
        elif name in _LAST:
            if still_open:
                yield f"{name}: an item or a part of it is still open"
            said = [(i["type"], i.get("id")) for i in event["response"].get("output") or []]
            if said and said != [(items[n]["type"], items[n].get("id")) for n in sorted(items)]:
                yield f"{name}: its output is not the items that were streamed"


def _within(event: Any, items: dict[int, dict[str, Any]], still_open: set[Any]) -> Iterator[str]:
    """What is told of an item, or of a part of its content."""
    name, at = event["type"], event["output_index"]
    item = items.get(at)
    if item is None or at not in still_open:
        yield f"{name}: its item is not open"
        return
    if "item_id" in event and event["item_id"] != item.get("id", event["item_id"]):
        yield f"{name}: its item has another id"
    within = "content_index" in event and item["type"] == "message" and not name.startswith("response.content_part.")
    if within and (at, event["content_index"]) not in still_open:
        yield f"{name}: its part is not open"


def _chat(events: list[Any]) -> Iterator[str]:
    if len({event.get("id") for event in events}) > 1:
        yield "id: it changes"
    ended: set[int] = set()
    calls: set[tuple[int, int]] = set()
    for event in events:
        for choice in event.get("choices") or []:
            number, delta = choice["index"], choice.get("delta") or {}
            if number in ended:
                yield "choices[]: something follows its finish_reason"
            if choice.get("finish_reason"):
                ended.add(number)
            for call in delta.get("tool_calls") or []:
                key = (number, call.get("index", -1))
                if key not in calls:
                    if key[1] != sum(n == number for n, _ in calls):
                        yield "tool_calls[].index: it is not the next"
                    if not call.get("id") or not (call.get("function") or {}).get("name"):
                        yield "tool_calls[]: the first piece has no id or no name"
                    calls.add(key)
    if not ended:
        yield "no choice says why it ended"


def _gemini(events: list[Any]) -> Iterator[str]:
    ended: set[int] = set()
    for event in events:
        for candidate in event.get("candidates") or []:
            number = candidate.get("index", 0)
            if number in ended and (candidate.get("content") or {}).get("parts"):
                yield "candidates[]: something follows its finishReason"
            if candidate.get("finishReason"):
                ended.add(number)
    if not ended and not any(event.get("promptFeedback") for event in events):
        yield "no candidate says why it ended"


_ORDERS: dict[str, Callable[[list[Any]], Iterator[str]]] = {
    "anthropic-messages": _anthropic,
    "openai-responses": _responses,
    "openai-chat": _chat,
    "gemini-generate": _gemini,
}
