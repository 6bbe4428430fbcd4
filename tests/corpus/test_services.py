"""Recorded embeddings, rankings and token counts: read right, and brought back to equal JSON."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from functools import cache
from typing import Any

import pytest

from ai_protocol_runtime.manifest import manifests
from ai_protocol_runtime.types import EmbeddingRequest
from ai_protocol_runtime.wire import EMBED, RERANK, service_format, wire_format

from .recordings import ABSENT, CORPUS

pytestmark = [pytest.mark.corpus, pytest.mark.skipif(not CORPUS.exists(), reason=ABSENT)]

SERVICES = {
    ("openai-embeddings", ""): ("openai-embeddings", EMBED),
    ("cohere-embed", ""): ("cohere-embed", EMBED),
    ("gemini-embeddings", "batchEmbedContents"): ("gemini-embeddings", EMBED),
    ("gemini-embeddings", "embedContent"): ("gemini-embed", EMBED),
    ("rerank", ""): ("cohere-rerank", RERANK),
}
"""Families of recordings, with the end of their path where that tells them apart -> wire formats."""
COUNTING = {"anthropic": "anthropic-messages", "openai": "openai-responses", "google": "gemini-generate"}
"""Providers of recorded counts -> wire formats."""
LEAST = {"openai-embeddings": 70, "cohere-embed": 14, "gemini-embeddings": 20, "cohere-rerank": 10}


@cache
def lines() -> list[Any]:
    found: list[Any] = []
    families = {family for family, _ in SERVICES} | {"count-tokens"}
    for file in sorted(CORPUS.glob("*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as text:
            found += [line for line in map(json.loads, text) if line["family"] in families]
    return found


def service(line: Any) -> tuple[str, str] | None:
    path = line["request"]["path"].partition("?")[0]
    names = (name for (family, end), name in SERVICES.items() if family == line["family"] and path.endswith(end))
    return next(names, None)


def answered(line: Any) -> Any:
    """The body of an answer that is no error."""
    return line["response"]["body"] if line["response"]["status"] == 200 else None


def test_requests_and_answers() -> None:
    seen: Counter[str] = Counter()
    wrong = []
    for line in lines():
        name = service(line)
        if name is None:
            continue
        wire = service_format(*name, manifests())
        body, path = line["request"]["body"], line["request"]["path"]
        request = wire.decode_request(body, path)
        losses: list[Any] = []
        same = wire.encode_request(request, losses) == body and not losses
        asked = request.inputs if isinstance(request, EmbeddingRequest) else request.documents
        if (whole := answered(line)) is not None:
            answer = wire.decode_answer(whole)
            same = same and wire.encode_answer(answer) == whole
            if isinstance(request, EmbeddingRequest):
                inputs = len(asked) or 1  # an empty text is no part
                same = same and len(answer.vectors) == inputs and all(map(all_numbers, answer.vectors))
            else:
                same = same and {ranked.index for ranked in answer.results} <= set(range(len(asked)))
        seen[name[0]] += 1
        if not same:
            wrong.append(line["id"])
    assert wrong == []
    assert all(seen[name] >= least for name, least in LEAST.items()), seen


def all_numbers(vector: list[Any]) -> bool:
    return len(vector) > 1 and {type(number) for number in vector} <= {int, float}


def test_counts() -> None:
    seen: Counter[str] = Counter()
    for line in lines():
        if line["family"] != "count-tokens" or line["provider"] not in COUNTING:
            continue
        wire = wire_format(COUNTING[line["provider"]], manifests())
        counting = wire.counting
        assert counting is not None
        body = line["request"]["body"]
        asked = counting.decode_request(body)
        request = wire.decode_request(asked, line["request"]["path"])
        back = counting.encode_request(wire.encode_request(request), request.model or "")
        assert counting.decode_request(back).items() >= asked.items(), line["id"]
        if (whole := answered(line)) is not None:
            told = [value for key, value in whole.items() if key in ("input_tokens", "totalTokens")]
            assert [counting.decode_answer(whole).input] == told, line["id"]
            seen[line["provider"]] += 1
    assert all(seen[provider] >= 6 for provider in COUNTING), seen
