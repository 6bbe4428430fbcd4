"""``ai-protocol chat``: one question, or a conversation."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from typing import Any

from ai_protocol_runtime.client import AIClient
from ai_protocol_runtime.types import (
    Answer,
    Message,
    PartialContentDelta,
    RefusalDelta,
    StreamEnd,
    ThinkingDelta,
    ToolCallEnded,
)
from ai_protocol_runtime.types.errors import ProviderError

from . import calling, complain, note, say

DIM, PLAIN = "\x1b[2m", "\x1b[0m"


def arguments(parser: argparse.ArgumentParser) -> None:
    calling.arguments(parser)


def run(options: argparse.Namespace) -> int:
    messages = calling.opening(options)
    with calling.client(options) as client:
        if options.prompt is None and sys.stdin.isatty():
            return _conversation(client, messages, calling.params(options))
        messages.append(calling.user(options.prompt if options.prompt is not None else sys.stdin.read().strip()))
        _answer(client, messages, calling.params(options))
    return 0


def _conversation(client: AIClient, messages: list[Message], params: dict[str, Any]) -> int:
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401  (gives `input` a history and its keys)
    note("Ctrl-D ends the conversation, Ctrl-C an answer.")
    while True:
        try:
            text = input("> ")
        except EOFError:
            say()
            return 0
        if not text.strip():
            continue
        messages.append(calling.user(text))
        try:
            messages.append(_answer(client, messages, params).message)
        except (ProviderError, KeyboardInterrupt) as error:
            # What was not answered is not part of the conversation.
            messages.pop()
            say()
            complain(str(error) or "interrupted")


def _answer(client: AIClient, messages: list[Message], params: dict[str, Any]) -> Answer:
    """Stream one answer to the terminal. Reasoning is shown to people, not to programs."""
    began = time.monotonic()
    seen = sys.stdout.isatty()
    thinking = False
    answer = Answer()
    try:
        for event in client.stream(messages, **params):
            if isinstance(event, ThinkingDelta):
                if seen:
                    say("" if thinking else DIM, end=event.thinking)
                    thinking = True
                continue
            if thinking and isinstance(event, PartialContentDelta | RefusalDelta | ToolCallEnded | StreamEnd):
                say(PLAIN + "\n")
                thinking = False
            if isinstance(event, PartialContentDelta):
                say(event.content, end="")
            elif isinstance(event, RefusalDelta):
                say(event.refusal, end="")
            elif isinstance(event, ToolCallEnded):
                say(f"{event.part.name}({event.part.arguments})")
            elif isinstance(event, StreamEnd):
                answer = event.answer
    finally:
        if thinking:
            say(PLAIN, end="")
    say()
    note(_summary(answer, time.monotonic() - began))
    return answer


def _summary(answer: Answer, seconds: float) -> str:
    usage = answer.usage
    facts = [answer.model or "", answer.finish_reason or ""]
    if usage is not None:
        details = [("cached", usage.cache_read), ("reasoning", usage.reasoning)]
        inner = ", ".join(f"{count} {word}" for word, count in details if count)
        facts.append(f"{usage.input} tokens in, {usage.output} out{f' ({inner})' if inner else ''}")
    facts.append(f"{seconds:.1f} s")
    return "[" + "; ".join(fact for fact in facts if fact) + "]"
