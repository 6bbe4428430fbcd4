"""Errors are classified by the rules of a manifest, whatever form they come in."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from ai_protocol_runtime.flow.errors import error_from_event, error_from_response, rate_limits
from ai_protocol_runtime.manifest.schema import ProviderManifest
from ai_protocol_runtime.types import Answer
from ai_protocol_runtime.types.errors import (
    AuthenticationError,
    ContextOverflowError,
    InvalidRequestError,
    MalformedResponseError,
    OverloadedError,
    ProviderError,
    QuotaExhaustedError,
    RateLimitedError,
    ServerError,
    UnknownProviderError,
)

ACME = ProviderManifest.model_validate_json(
    json.dumps(
        {
            "id": "acme",
            "name": "Acme",
            "docs": {"checked": "2026-11-21", "pages": ["https://acme.test/docs"]},
            "base_url": "https://acme.test",
            "protocols": {"p": {"path": "/v1/chat"}},
            "request_id_headers": ["X-Request-Id"],
            "rate_limit_headers": {"requests_remaining": "X-Left", "tokens_remaining": "X-Tokens-Left"},
            "retry": {
                "headers": ["Retry-After-Ms", "Retry-After", "X-Reset"],
                "paths": ["error.details[].retryDelay"],
                "advice": ["X-Should-Retry"],
            },
            "errors": {
                "message": ["error.message", "message", "error", "detail[].msg", "[].error.message"],
                "code": ["error.code", "code"],
                "type": ["error.type"],
                "param": ["error.param"],
                "request_id": ["request_id"],
                "status": ["error.status", "error.code", "status"],
                "rules": [
                    {"status": 400, "message": "context (length|window)", "error": "context_overflow"},
                    {"status": 429, "code": ["insufficient_quota"], "error": "quota_exhausted"},
                    {"type": "overloaded_error", "error": "overloaded"},
                    {"status": 401, "error": "authentication"},
                    {"status": 429, "error": "rate_limited"},
                    {"status": "4xx", "error": "invalid_request"},
                    {"status": "5xx", "error": "server_error", "retryable": False},
                ],
            },
        }
    )
)


def made(status: int, body: Any, **headers: str) -> ProviderError:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return error_from_response(ACME, status=status, headers=named, body=text, model="m")


@pytest.mark.parametrize(
    ("status", "body", "cls", "message"),
    [
        (401, {"error": {"message": "bad key"}}, AuthenticationError, "bad key"),
        (400, {"error": {"message": "Context LENGTH exceeded"}}, ContextOverflowError, "Context LENGTH exceeded"),
        (500, {"error": {"message": "context length"}}, ServerError, "context length"),
        (429, {"error": {"message": "pay", "code": "insufficient_quota"}}, QuotaExhaustedError, "pay"),
        (429, {"error": {"message": "slow", "code": None}}, RateLimitedError, "slow"),
        (418, {"message": "teapot"}, InvalidRequestError, "teapot"),
        (422, {"detail": [{"loc": ["a"], "msg": "field required"}]}, InvalidRequestError, "field required"),
        (400, [{"error": {"message": "in a list"}}], InvalidRequestError, "in a list"),
        (404, {"error": "model 'x' not found"}, InvalidRequestError, "model 'x' not found"),
        (529, {"error": {"type": "overloaded_error", "message": "busy"}}, OverloadedError, "busy"),
        (302, {"message": "elsewhere"}, MalformedResponseError, "elsewhere"),
        (200, {"message": "no", "status": 401}, AuthenticationError, "no"),
        (200, {"object": "list"}, MalformedResponseError, 'this is no answer: {"object":"list"}'),
        (500, b"", ServerError, "the provider gave no reason"),
        (500, b"upstream died", ServerError, "upstream died"),
        (500, {"trace": 1}, ServerError, 'the provider says: {"trace":1}'),
        (502, b"<html><title>502 Bad Gateway</title></html>", ServerError, "HTML page .* \\(502 Bad Gateway\\)"),
        (500, b'"just text"', ServerError, "just text"),
        (500, b"x" * 5000, ServerError, "x{999}…$"),
        (600, {"message": "odd"}, UnknownProviderError, "odd"),
    ],
)
def test_the_first_rule_that_fits_decides(status: int, body: Any, cls: type, message: str) -> None:
    error = made(status, body)
    assert type(error) is cls
    assert error.status == status
    assert re.search(message, error.message)


def test_what_a_provider_tells_is_kept() -> None:
    body = {"error": {"message": "m", "code": 7, "type": "t", "param": "p"}, "request_id": "from-body"}
    error = made(400, body)
    assert (error.provider, error.model, error.status) == ("acme", "m", 400)
    assert (error.provider_code, error.provider_type, error.param) == ("7", "t", "p")
    assert error.request_id == "from-body"
    assert error.body == body
    assert made(400, body, x_request_id="from-header").request_id == "from-header"
    assert made(400, body, x_request_id="r").headers == {"x-request-id": "r"}


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "13"}, 13.0),
        ({"retry_after": "0.5"}, 0.5),
        ({"retry_after_ms": "250", "retry_after": "1"}, 0.25),
        ({"retry_after": "Sat, 21 Nov 2026 08:00:30 GMT", "date": "Sat, 21 Nov 2026 08:00:00 GMT"}, 30.0),
        ({"retry_after": "Sat, 21 Nov 2026 07:00:00 GMT", "date": "Sat, 21 Nov 2026 08:00:00 GMT"}, 0.0),
        ({"x_reset": "2026-11-21T08:00:30Z", "date": "Sat, 21 Nov 2026 08:00:00 GMT"}, 30.0),
        ({"retry_after": "Sat, 21 Nov 2026 08:00:30 GMT"}, None),
        ({"x_reset": "1m30.5s"}, 90.5),
        ({"x_reset": "6m0s"}, 360.0),
        ({"x_reset": "1h"}, 3600.0),
        ({"x_reset": "20ms"}, 0.02),
        ({"retry_after": "soon", "x_reset": "2s"}, 2.0),
        ({"retry_after": "nan"}, None),
        ({"retry_after": "inf"}, None),
        ({"retry_after": "-5"}, 0.0),
        ({"retry_after": ""}, None),
        ({}, None),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert made(429, {"message": "slow"}, **headers).retry_after == seconds


def test_how_long_to_wait_from_the_body() -> None:
    body = {"error": {"message": "slow", "details": [{"@type": "Help"}, {"@type": "RetryInfo", "retryDelay": "13s"}]}}
    assert made(429, body).retry_after == 13.0


def test_advice_on_retrying_counts_most() -> None:
    assert made(429, {}).retryable is True
    assert made(429, {}, x_should_retry="false").retryable is False
    assert made(500, {}).retryable is False  # by its rule
    assert made(500, {}, x_should_retry="true").retryable is True
    assert made(401, {}).retryable is False


@pytest.mark.parametrize(
    ("event", "cls", "message", "status"),
    [
        ({"type": "overloaded_error", "message": "busy"}, OverloadedError, "busy", None),
        ({"error": {"type": "overloaded_error", "message": "busy"}}, OverloadedError, "busy", None),
        ({"message": "failed", "code": "tool_use_failed", "status": 400}, InvalidRequestError, "failed", 400),
        ({"message": "slow", "code": 429}, RateLimitedError, "slow", 429),
        ("it broke", UnknownProviderError, "it broke", None),
        ({"x": 1}, UnknownProviderError, "the provider says: ", None),
        (None, UnknownProviderError, "gave no reason", None),
    ],
)
def test_errors_inside_a_stream(event: Any, cls: type, message: str, status: int | None) -> None:
    partial = Answer(id="so far")
    error = error_from_event(ACME, event, headers={"x-request-id": "r"}, partial=partial)
    assert type(error) is cls
    assert (error.status, error.partial, error.body, error.request_id) == (status, partial, event, "r")
    assert re.search(message, error.message)


def test_rate_limits_have_the_manifests_names() -> None:
    assert rate_limits(ACME, {"x-left": "9", "other": "1"}) == {"requests_remaining": "9"}
