"""Model strings, and where a base URL and a path meet."""

import pytest

from ai_protocol_runtime.flow.address import join_url, split_model
from ai_protocol_runtime.types.errors import ArgumentError


@pytest.mark.parametrize(
    ("text", "provider", "model"),
    [
        ("openai/gpt-4o", "openai", "gpt-4o"),
        ("openai:gpt-4o", "openai", "gpt-4o"),
        ("ollama/llama3:8b", "ollama", "llama3:8b"),
        ("ollama:llama3:8b", "ollama", "llama3:8b"),
        ("openrouter/x/y:free", "openrouter", "x/y:free"),
        ("openrouter:x/y", "openrouter", "x/y"),
        ("gpt-4o", "", "gpt-4o"),
    ],
)
def test_the_first_delimiter_splits(text: str, provider: str, model: str) -> None:
    assert split_model(text) == (provider, model)


@pytest.mark.parametrize(
    ("base_url", "path", "url"),
    [
        ("https://host", "/v1/chat/completions", "https://host/v1/chat/completions"),
        ("https://host/", "/v1/chat/completions", "https://host/v1/chat/completions"),
        ("https://host/v1", "/v1/chat/completions", "https://host/v1/chat/completions"),
        ("https://host/v1/", "/v1/chat/completions", "https://host/v1/chat/completions"),
        ("https://host/v1/chat/completions", "/v1/chat/completions", "https://host/v1/chat/completions"),
        ("https://host/openai/v1", "/v1/chat", "https://host/openai/v1/chat"),
        ("http://127.0.0.1:9/x/abc", "/v1/chat", "http://127.0.0.1:9/x/abc/v1/chat"),
        ("https://host/v1/v1", "/v1/chat", "https://host/v1/v1/chat"),
        ("https://host/v1beta", "/v1/chat", "https://host/v1beta/v1/chat"),
        ("https://host/openai/v1", "/openai/v1/chat", "https://host/openai/v1/chat"),
        ("https://host/v1", "/openai/v1/chat", "https://host/v1/chat"),
        ("https://host/x/chat", "/v1/chat/completions", "https://host/x/chat/v1/chat/completions"),
        ("https://host/v1", "/chat", "https://host/v1/chat"),
        ("https://host", "/chat?alt=sse", "https://host/chat?alt=sse"),
        ("https://host/v1?tenant=a", "/v1/chat", "https://host/v1/chat?tenant=a"),
        ("https://host?tenant=a", "/v1/chat?alt=sse", "https://host/v1/chat?alt=sse&tenant=a"),
        ("https://host/v1/", "", "https://host/v1"),
        ("http://[::1]:8080/v1", "/v1/m/a:generate", "http://[::1]:8080/v1/m/a:generate"),
    ],
)
def test_base_url_and_path_say_nothing_twice(base_url: str, path: str, url: str) -> None:
    assert join_url(base_url, path) == url


@pytest.mark.parametrize("base_url", ["host/v1", "ftp://host", "https://", "https://host:port/", "https://u:p@host"])
def test_what_is_no_http_address_is_refused(base_url: str) -> None:
    with pytest.raises(ArgumentError, match="base_url"):
        join_url(base_url, "/v1")
