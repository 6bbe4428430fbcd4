"""``ai-protocol explain``: the exact HTTP request of a call."""

from __future__ import annotations

import argparse
import json

from . import calling, say


def arguments(parser: argparse.ArgumentParser) -> None:
    calling.arguments(parser)
    parser.add_argument("--stream", action="store_true", help="the request of a stream")
    parser.add_argument(
        "--tool", action="append", default=[], metavar="TOOL",
        help="a tool to offer, such as 'get_weather(city: string, days: integer)' or JSON; may be repeated",
    )  # fmt: skip


def run(options: argparse.Namespace) -> int:
    params = calling.params(options)
    if options.tool:
        params["tools"] = [calling.tool(text) for text in options.tool]
    messages = [*calling.opening(options), calling.user(options.prompt or "Hello")]
    with calling.client(options) as client:
        request = client.explain(messages, stream=options.stream, **params).masked()
    say(f"{request.method} {request.url}")
    for name, value in request.headers.items():
        say(f"{name}: {value}")
    say()
    say(_pretty(request.body))
    return 0


def _pretty(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body.decode("utf-8", "replace")
