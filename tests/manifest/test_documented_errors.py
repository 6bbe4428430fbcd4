"""Errors nobody recorded, made after the documentation: what to wait for, what to pay for, whose fault it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from ai_protocol_runtime.flow.errors import error_from_event, error_from_response
from ai_protocol_runtime.manifest import Manifests


class Case(NamedTuple):
    provider: str
    status: int
    body: Any
    name: str
    retry: bool | None = None
    headers: Mapping[str, str] = MappingProxyType({})
    wait: float | None = None


def said(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, **more}}


def claude(kind: str, message: str = "No.") -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}


QUOTA = "You exceeded your current quota, please check your plan and billing details."
TPM = "Request too large for m on tokens per minute (TPM): Limit 6000, Requested 8000, please reduce your message size."

CASES = {
    # https://platform.openai.com/docs/guides/error-codes
    "a limit of speed": Case(
        "openai",
        429,
        said("Rate limit reached for m", type="requests", code="rate_limit_exceeded"),
        "rate_limited",
        True,
    ),
    "nothing left to pay with": Case(
        "openai", 429, said(QUOTA, type="insufficient_quota", code="insufficient_quota"), "quota_exhausted", False
    ),
    "a project's limit": Case(
        "openai",
        429,
        said(QUOTA, type="insufficient_quota", code="project_spend_limit_exceeded"),
        "quota_exhausted",
        False,
    ),
    "larger than a minute's limit": Case(
        "openai", 429, said(TPM, type="tokens", code="rate_limit_exceeded"), "rate_limited", False
    ),
    "a key without scopes": Case(
        "openai", 401, said("You have insufficient permissions for this operation."), "permission_denied"
    ),
    "a country": Case(
        "openai",
        403,
        said("Country, region, or territory not supported", code="unsupported_country"),
        "permission_denied",
    ),
    "slow down": Case("openai", 503, said("Slow Down", type="service_unavailable_error"), "overloaded", True),
    "milliseconds": Case(
        "openai", 429, said("Slow."), "rate_limited", True, {"retry-after-ms": "250", "retry-after": "1"}, 0.25
    ),
    "told not to retry": Case("openai", 500, said("Broken."), "server_error", False, {"x-should-retry": "false"}),
    # https://docs.anthropic.com/en/api/errors
    "overloaded": Case("anthropic", 529, claude("overloaded_error", "Overloaded"), "overloaded", True),
    "billing": Case("anthropic", 402, claude("billing_error"), "quota_exhausted", False),
    "no credit": Case(
        "anthropic",
        400,
        claude("invalid_request_error", "Your credit balance is too low to access the API."),
        "quota_exhausted",
    ),
    "too many bytes": Case("anthropic", 413, claude("request_too_large"), "request_too_large"),
    "timeout": Case("anthropic", 504, claude("timeout_error"), "timeout", True),
    "input and output together": Case(
        "anthropic",
        400,
        claude("invalid_request_error", "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000"),
        "context_overflow",
    ),
    # https://ai.google.dev/gemini-api/docs/troubleshooting
    "prepaid credits": Case(
        "gemini",
        402,
        said("Your prepayment credits are depleted.", code=402, status="RESOURCE_EXHAUSTED"),
        "quota_exhausted",
    ),
    "no free tier": Case(
        "gemini",
        429,
        said("Quota exceeded for metric: x_free_tier_requests, limit: 0", code=429),
        "quota_exhausted",
        False,
    ),
    "free for a day": Case(
        "gemini",
        429,
        said(QUOTA, details=[{"violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}]),
        "quota_exhausted",
    ),
    "a list of one error": Case(
        "gemini", 503, [said("The model is overloaded.", code=503, status="UNAVAILABLE")], "overloaded", True
    ),
    "a place": Case(
        "gemini",
        400,
        said("User location is not supported for the API use.", status="FAILED_PRECONDITION"),
        "permission_denied",
    ),
    # https://console.groq.com/docs/errors
    "a full tier": Case("groq", 498, said("Flex tier is full.", code="capacity_exceeded"), "overloaded", True),
    "cancelled": Case("groq", 499, said("Cancelled."), "cancelled"),
    "too large": Case("groq", 413, said(TPM, type="tokens", code="rate_limit_exceeded"), "request_too_large", False),
    # https://api-docs.deepseek.com/quick_start/error_codes
    "no balance": Case("deepseek", 402, said("Insufficient Balance", type="unknown_error"), "quota_exhausted", False),
    # https://docs.x.ai/developers/debugging
    "a wrong key": Case(
        "xai", 400, {"code": "invalid-argument", "error": "Incorrect API key provided: xa***xx."}, "authentication"
    ),
    "a long prompt": Case(
        "xai",
        400,
        {
            "code": "invalid-argument",
            "error": "This model's maximum prompt length is 131072 but the request contains 9.",
        },
        "context_overflow",
    ),
    "no credits": Case("xai", 403, {"error": "Your team doesn't have any credits yet."}, "quota_exhausted"),
    # https://openrouter.ai/docs/api/reference/errors-and-debugging
    "no provider": Case("openrouter", 503, said("No instances available", code=503), "overloaded", True),
    "a model that is down": Case("openrouter", 502, said("Provider returned error", code=502), "server_error", True),
    "moderated": Case("openrouter", 403, said("Flagged", code=403), "permission_denied"),
    # https://docs.mistral.ai/api
    "a field too many": Case(
        "mistral",
        422,
        {
            "object": "error",
            "message": {"detail": [{"type": "extra_forbidden", "msg": "Extra inputs are not permitted"}]},
        },
        "invalid_request",
    ),
    "no such model": Case(
        "mistral",
        400,
        {"object": "error", "message": "Invalid model: x", "type": "invalid_model", "code": "1500"},
        "not_found",
    ),
    # https://docs.together.ai/docs/error-codes
    "a 403 that is a length": Case(
        "together", 403, said("Input token count + max_tokens must be less than the context length"), "context_overflow"
    ),
    # https://docs.z.ai/api-reference/api-code
    "a debt": Case("zhipu", 429, said("Insufficient balance", code="1113"), "quota_exhausted", False),
    # https://developers.cloudflare.com/workers-ai/platform/errors/
    "neurons": Case(
        "cloudflare", 429, {"success": False, "errors": [{"code": 3036, "message": "Used up."}]}, "quota_exhausted"
    ),
    # https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md
    "a small context": Case(
        "llamacpp",
        400,
        said("the request exceeds the available context size", code=400, type="exceed_context_size_error"),
        "context_overflow",
    ),
    "still loading": Case(
        "llamacpp", 503, said("Loading model", code=503, type="unavailable_error"), "overloaded", True
    ),
    "vllm": Case(
        "vllm",
        400,
        {"object": "error", "message": "This model's maximum context length is 4096 tokens.", "code": 400},
        "context_overflow",
    ),
    # https://huggingface.co/docs/inference-providers
    "a text for an error": Case(
        "huggingface", 402, {"error": "You have exceeded your monthly credits"}, "quota_exhausted"
    ),
    # whatever stands in between
    "a proxy": Case("openai", 502, "<html><title>502 Bad Gateway</title></html>", "server_error", True),
    "a teapot": Case("openai", 418, "", "invalid_request"),
    "cloudflare's timeout": Case("together", 524, "error code: 524", "timeout", True),
}

INSIDE = {
    # https://docs.anthropic.com/en/docs/build-with-claude/streaming#error-events
    "overloaded": ("anthropic", {"type": "overloaded_error", "message": "Overloaded"}, "overloaded"),
    "broken": ("anthropic", {"type": "api_error", "message": "Internal server error"}, "server_error"),
    "speed": ("anthropic", {"type": "rate_limit_error", "message": "Too fast"}, "rate_limited"),
    # https://platform.openai.com/docs/api-reference/responses-streaming
    "failed": ("openai", {"code": "server_error", "message": "The model failed."}, "server_error"),
    "limited": ("openai", {"code": "rate_limit_exceeded", "message": "Too fast."}, "rate_limited"),
    "an event": (
        "openai",
        {"type": "error", "code": "invalid_prompt", "message": "No.", "param": None},
        "invalid_request",
    ),
    # https://ai.google.dev/gemini-api/docs/troubleshooting
    "unavailable": ("gemini", {"code": 503, "message": "Overloaded.", "status": "UNAVAILABLE"}, "overloaded"),
    # https://openrouter.ai/docs/api/reference/errors-and-debugging
    "a provider": ("openrouter", {"code": 502, "message": "Provider disconnected"}, "server_error"),
    "a kind": (
        "openrouter",
        {"code": "server_error", "message": "Full", "metadata": {"error_type": "provider_overloaded"}},
        "overloaded",
    ),
    # https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter: a 400 in an answer that is a 200
    "filtered": ("azure", {"code": "content_filter", "message": "Filtered.", "status": 400}, "invalid_request"),
    "never heard of": ("openai", {"code": "zzz", "message": "What?"}, "unknown"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_response(case: Case) -> None:
    body = case.body if isinstance(case.body, str) else json.dumps(case.body)
    made = error_from_response(
        Manifests().provider(case.provider), status=case.status, headers=case.headers, body=body, model=None
    )
    assert made.name == case.name
    assert made.retry_after == case.wait
    if case.retry is not None:
        assert made.retryable is case.retry


@pytest.mark.parametrize(("provider", "error", "name"), INSIDE.values(), ids=list(INSIDE))
def test_inside_a_stream(provider: str, error: Any, name: str) -> None:
    made = error_from_event(Manifests().provider(provider), error)
    assert made.name == name
    assert made.message == error["message"]
