"""Every error that was recorded from a provider is the class its documentation says, with what else it tells."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ai_protocol_runtime.flow.errors import error_from_event, error_from_response
from ai_protocol_runtime.manifest import Manifests
from ai_protocol_runtime.types import StreamError
from ai_protocol_runtime.types.errors import ERROR_CLASSES
from ai_protocol_runtime.wire import wire_format

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
FORMATS = {
    "openai-chat": "openai-chat",
    "openai-responses": "openai-responses",
    "anthropic-messages": "anthropic-messages",
    "gemini": "gemini-generate",
    "mistral": "openai-chat",
}

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not CORPUS.is_dir(), reason="the recorded traffic is not there: ../shared/corpus"),
]


class Error(NamedTuple):
    """What is expected. `id` is the request's id, `wait` the seconds to wait, `retry` whether to try again at all."""

    name: str
    status: int
    code: str | None = None
    kind: str | None = None
    id: str | None = None
    param: str | None = None
    wait: float | None = None
    retry: bool = False


def anthropic(name: str, status: int, kind: str, id: str) -> Error:
    return Error(name, status, None, kind, id)


def openai(name: str, status: int, code: str | None, id: str | None = None, param: str | None = None) -> Error:
    return Error(name, status, code, "invalid_request_error", id, param)


def gemini(name: str, status: int, code: str, kind: str | None = None, **more: Any) -> Error:
    return Error(name, status, code, kind, **more)


HIDDEN = "<X_REQUEST_ID>"
"""What a recorder put in place of an id."""

RESPONSES = {
    # https://docs.anthropic.com/en/api/errors
    "e9d08baeaad0b2ec": anthropic("authentication", 401, "authentication_error", "req_011CVa2kdYoBWtrYYX7mqJjX"),
    "6311a3633a15f662": anthropic("authentication", 401, "authentication_error", "req_013JyjhVcnhy8mfJkvBTqMNB"),
    "c516f1917b6d64bc": anthropic("authentication", 401, "authentication_error", "req_011CWdN9pQjsMGioSTihLhYk"),
    "e9268a5d331bc1b6": anthropic("authentication", 401, "authentication_error", "req_011CWdMEehrhsdujMyQ9pChP"),
    "63ed620e9af5645e": anthropic("authentication", 401, "authentication_error", "req_011CWdN9puFcKqYXBieKVDvB"),
    "870fe299daea3fde": anthropic("authentication", 401, "authentication_error", "req_011CWdMFGmmtqDd5uETFt98k"),
    "ca4535b3f2e72aad": anthropic("not_found", 404, "not_found_error", "req_011CWbzieHPZX6GqZWDgmhe5"),
    "51eca4116e45561b": anthropic("not_found", 404, "not_found_error", "req_011CWbzzaY7YGjrAyeyjQRRn"),
    "0a9ef8e9ec7cf910": anthropic("not_found", 404, "not_found_error", "req_011CWbzicpaYMyAiiXobLkzi"),
    "82da635b84b97ad0": anthropic("not_found", 404, "not_found_error", "req_011CWbzzZgGH6GfttJ4QSvQg"),
    "d585d869838d6acf": anthropic("not_found", 404, "not_found_error", "req_011CWbzir7YEuX1ZFfJx5mA4"),
    "53ffc6b5df0a2966": anthropic("not_found", 404, "not_found_error", "req_011CWbzznWBvB4j8xSS91pwP"),
    "2eb4726325b123ad": anthropic("not_found", 404, "not_found_error", "req_011CWbziqGSV3t3Ax2Wza1WH"),
    "299f8371371b2867": anthropic("not_found", 404, "not_found_error", "req_011CWbzzmmHtkjqPtN62Tp1h"),
    "1e4a2b27f540f0a0": anthropic("not_found", 404, "not_found_error", "req_011CXZKqu9Dox1Y37WKaUP9W"),
    "22fdb87cc8c882c6": anthropic("invalid_request", 400, "invalid_request_error", "req_01BjwuzUpsYgKjQJguJyvKb3"),
    "199a475f70e6ba6b": anthropic("invalid_request", 400, "invalid_request_error", "req_011CXePJ3XLZN1SyGcR9mg4U"),
    # the id is in the body alone
    "4a3e93a63dc936e4": anthropic("invalid_request", 400, "invalid_request_error", "req_011Ca7jT9AHpgXgdv8igm4z9"),
    # https://docs.anthropic.com/en/docs/build-with-claude/context-windows
    "6a869f8d971a4c05": anthropic("context_overflow", 400, "invalid_request_error", "<REQUEST_ID>"),
    # https://learn.microsoft.com/azure/ai-foundry/openai/reference
    "47f6f3c6303afdb9": Error("not_found", 404, "404", id="APIM-REQUEST-ID-XXX"),
    # retry-after-ms says 0
    "86e53f145d33f350": Error(
        "rate_limited", 429, "RateLimitReached", id="d3be1dcd-5e15-488e-b48f-a3066967d205", wait=1.0, retry=True
    ),
    # https://api-docs.deepseek.com/quick_start/error_codes
    "167f001bfbcaa0c2": openai("context_overflow", 400, "invalid_request_error"),
    "329548158dc20731": openai("invalid_request", 400, "invalid_request_error"),
    # https://ai.google.dev/gemini-api/docs/troubleshooting; an invalid key is a 400 there
    "6ddf5209ee0ddc4d": gemini("authentication", 400, "INVALID_ARGUMENT", "API_KEY_INVALID"),
    "8f498f2687223700": gemini("not_found", 404, "NOT_FOUND"),
    "fd322c08513c2a5f": gemini("not_found", 404, "NOT_FOUND"),
    "d17fdae8a86d3d96": gemini("not_found", 404, "NOT_FOUND"),
    "8615d584f55774d7": gemini("rate_limited", 429, "RESOURCE_EXHAUSTED", retry=True),
    # it speaks of plan and billing, and means a minute
    "dbc664762af69c8c": gemini(
        "rate_limited",
        429,
        "RESOURCE_EXHAUSTED",
        "GenerateContentPaidTierInputTokensPerModelPerMinute",
        wait=48.0,
        retry=True,
    ),
    # https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/api-errors
    "cfd02e558169b89e": gemini("context_overflow", 400, "INVALID_ARGUMENT"),
    "d63c2d2da3c51edf": gemini("invalid_request", 400, "INVALID_ARGUMENT"),
    "ffb71bf0cd9727bb": gemini("invalid_request", 400, "INVALID_ARGUMENT"),
    "8a4a51d40835221f": gemini("not_found", 404, "NOT_FOUND"),
    # https://console.groq.com/docs/errors, https://console.groq.com/docs/tool-use
    "ce8ea521e9db117e": openai("not_found", 404, "model_not_found"),
    "f547678b8877797e": Error("invalid_request", 400, "tool_use_failed", "invalid_request_error", retry=True),
    "ee094cb09e835d54": Error("invalid_request", 400, "tool_use_failed", "invalid_request_error", retry=True),
    # https://docs.ollama.com/api/errors
    "ad1c62496405c768": openai("context_overflow", 400, None, HIDDEN),
    # https://platform.openai.com/docs/guides/error-codes
    "b2ecdb7150fc4fdf": openai("authentication", 401, "invalid_api_key", "req_9687077e3eda489b8c841a40f5d23a95"),
    "72f943ae1c585e97": openai("authentication", 401, "invalid_api_key", "55f4f12fef392b7fbc0c647e97a8e6b2"),
    "4fdd3c40326fe7ae": openai("authentication", 401, "invalid_api_key", "req_a2233fd9185402ec4253a4bfff19c965"),
    "60ab881ef7bfcb1e": openai("authentication", 401, "invalid_api_key", "req_1963efc19b3b4865af98403581d580af"),
    "11a0c54f8749e686": openai("authentication", 401, "invalid_api_key", "req_39477683f0a842109fac21a8bf24c001"),
    "97430be884efb16c": openai("authentication", 401, "invalid_api_key", HIDDEN),
    "5bc937bba25939f6": openai("not_found", 404, "model_not_found", "req_aebf95a914bb46ae9d75a732aa1738f3"),
    "f810838293298ec5": openai("not_found", 404, "model_not_found", "req_98c81147f2f025a021ed636bd814c3e3"),
    "5aefa3c199bf3f9d": openai("not_found", 404, "model_not_found", "req_c1ec3f2874bbc8ce44aabc387a26a147"),
    "bd61fdfe6a961a2a": openai("not_found", 404, "model_not_found", "req_5cf06a7fabd45ebe21ee38c14c5b2f76"),
    "c4ccd4ea71c6c729": openai("not_found", 404, "model_not_found", "req_a74d9a9581074472b5aa6dfe4aaaeebd"),
    # the same in Responses is a 400; the code says what it is
    "be7acae2cb8e67b4": openai("not_found", 400, "model_not_found", "req_5b160c26ff8ce5544c5fd8b680254b4b", "model"),
    "cfdf040c7f7a74b6": openai("not_found", 400, "model_not_found", "req_4034503e497442ed887b172915a0b39a", "model"),
    "daa639808125f013": openai("not_found", 400, "model_not_found", "req_a0a6026778a44a75b7fab9041d91bafc", "model"),
    "eaa689f003c34c97": openai("not_found", 400, "model_not_found", "req_48f6dc739d654972b34e069edb97d2dc", "model"),
    "13c24150f2d0b616": openai("context_overflow", 400, "context_length_exceeded", HIDDEN, "input"),
    "f5ca63a1411907c9": openai(
        "invalid_request", 400, "unsupported_parameter", "req_3855783c722245b6ab7e4e7f7b2d85ce", "stop"
    ),
    "bd46c3d035f8d49e": openai(
        "invalid_request",
        400,
        "invalid_function_parameters",
        "req_14a987a7b97543c9b012fe6081adde68",
        "tools[0].parameters",
    ),
    "fb50fd0ebe187570": openai(
        "invalid_request",
        400,
        "invalid_function_parameters",
        "req_17e18735d7994330ae0fe919450a5056",
        "tools[0].function.parameters",
    ),
    "310bb3824c084be5": openai(
        "invalid_request", 400, "unsupported_value", "req_20fdf26c64344c77a9396511e221cbb1", "reasoning.effort"
    ),
    "1362f456cdc789e7": openai("invalid_request", 400, "unsupported_value", param="messages[0].role"),
    "e25543c2766dd79c": openai("invalid_request", 400, "unsupported_value", param="messages[0].role"),
    "4d15e64f907bdd15": openai("invalid_request", 400, None, param="web_search_options"),
    "f289a61fc39f9a5a": openai("invalid_request", 400, "decimal_below_min_value", param="temperature"),
    "34d8be8737a06423": openai("invalid_request", 400, None, param="input"),
    "29b8032b157da66e": openai("invalid_request", 400, "invalid_image_url"),
    "229d155dbdff1c67": openai("invalid_request", 400, "invalid_image_url", "req_7c57fbccf7204078932188550872a1f9"),
    "ff9d57e610928b37": openai("invalid_request", 400, "invalid_image_format", "req_c7ac859a6e5e4c41a1450bcee424ad2f"),
    # https://openrouter.ai/docs/api/reference/errors-and-debugging
    "711003c113c5e96d": Error("authentication", 401, "401"),
    "7e2fb11485664a39": Error("context_overflow", 400, "400"),
    "3c6b6e429b38b52e": Error("rate_limited", 429, "429", retry=True),
    # https://docs.perplexity.ai/guides/perplexity-sdk-error-handling
    "70c6364476a5ba16": Error("context_overflow", 400, "400", "too_many_prompt_tokens"),
    # https://docs.together.ai/docs/error-codes
    "f0d87740695784b3": openai("authentication", 401, "invalid_api_key", "oVRNYEd-62bZhn-9c648c8e7ee608d2"),
}

EVENTS = {
    # https://console.groq.com/docs/tool-use
    "45a187f404506e9a": Error("invalid_request", 400, "tool_use_failed", "invalid_request_error", retry=True),
    "bffc60e8b7bb5ec7": Error("invalid_request", 400, "tool_use_failed", "invalid_request_error", retry=True),
    # https://openrouter.ai/docs/api/reference/errors-and-debugging: a limit of the output, not of the context
    "8e7338308823fe67": Error("invalid_request", 400, "400"),
}


@cache
def exchanges() -> dict[str, Any]:
    """All recorded exchanges of these formats that have an error."""

    def read() -> Iterator[Any]:
        for file in sorted(CORPUS.glob("*.jsonl.gz")):
            with gzip.open(file, "rt", encoding="utf-8") as lines:
                yield from map(json.loads, lines)

    return {e["id"]: e for e in read() if e["family"] in FORMATS and (e["response"]["status"] >= 400 or events(e))}


def events(exchange: Any) -> list[Any]:
    """The errors inside a recorded stream, as the wire format reads them."""
    text = exchange["response"].get("sse")
    if exchange["response"]["status"] >= 400 or not text or '"error"' not in text:
        return []
    reader = wire_format(FORMATS[exchange["family"]], Manifests()).stream_reader()
    return [event.error for event in reader.feed(text.encode()) if isinstance(event, StreamError)]


def headers(exchange: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in (exchange["response"].get("headers") or {}).items()}


def check(made: Any, expected: Error) -> None:
    told = Error(
        made.name,
        made.status,
        made.provider_code,
        made.provider_type,
        made.request_id,
        made.param,
        made.retry_after,
        made.retryable,
    )
    assert told == expected
    assert type(made) is ERROR_CLASSES[expected.name]
    assert made.message
    assert not made.message.startswith("the provider")


def test_the_table_has_every_recorded_error() -> None:
    assert set(RESPONSES) | set(EVENTS) == set(exchanges())


@pytest.mark.parametrize("id", RESPONSES)
def test_error_response(id: str) -> None:
    exchange = exchanges()[id]
    response = exchange["response"]
    made = error_from_response(
        Manifests().provider(exchange["provider"]),
        status=response["status"],
        headers=headers(exchange),
        body=json.dumps(response["body"]),
        model="some-model",
    )
    check(made, RESPONSES[id])
    assert made.body == response["body"]


@pytest.mark.parametrize("id", EVENTS)
def test_error_inside_a_stream(id: str) -> None:
    exchange = exchanges()[id]
    (error,) = events(exchange)
    made = error_from_event(
        Manifests().provider(exchange["provider"]), error, headers=headers(exchange), model="some-model"
    )
    check(made, EVENTS[id])
