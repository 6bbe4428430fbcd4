"""The wire formats as the standard suites see them: who speaks each, what it counts, and what it has no place for."""

from __future__ import annotations

from dataclasses import dataclass, field

KEY = "standard-0123456789"


@dataclass(frozen=True)
class Format:
    """A wire format, in the mouth of a real provider.

    `counts` are the details of usage that it reports. `lacks` are features of the suites that it has no place for, and
    why: the only reasons for a test to be skipped. `losses` are what it has no place for in tests that it passes: each
    is warned of, and nothing else is.
    """

    protocol: str
    provider: str
    model: str
    other: str
    key_from: str
    counts: tuple[str, ...] = ()
    lacks: dict[str, str] = field(default_factory=dict)
    losses: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """``provider/model``, as a user says it."""
        return f"{self.provider}/{self.model}"


NO_MEDIA_IN_RESULTS = "a tool's result is text here"
TESTS = {
    "image": "test_image_inputs",
    "pdf": "test_pdf_inputs",
    "audio": "test_audio_inputs",
    "json_mode": "test_json_mode",
    "tool_choice": "test_tool_choice",
    "image_result": "test_image_tool_message",
    "pdf_result": "test_pdf_tool_message",
}
"""The features that a format may lack, and the one test that is about each."""

FORMATS = {
    format.protocol: format
    for format in (
        Format(
            "openai-chat",
            "openai",
            "gpt-5.1",
            "gpt-4.1-mini",
            "OPENAI_API_KEY",
            counts=("audio_input", "audio_output", "reasoning_output", "cache_read_input", "cache_creation_input"),
            lacks={"image_result": NO_MEDIA_IN_RESULTS, "pdf_result": NO_MEDIA_IN_RESULTS},
            losses=("tool_result.is_error", "reasoning"),
        ),
        Format(
            "openai-responses",
            "openai",
            "gpt-5.1",
            "gpt-4.1-mini",
            "OPENAI_API_KEY",
            counts=("reasoning_output", "cache_read_input"),
            lacks={"audio": "an input has texts, images and files"},
            losses=("tool_result.is_error", "text.cache", "tool.cache", "message.name", "stop", "reasoning"),
        ),
        Format(
            "anthropic-messages",
            "anthropic",
            "claude-sonnet-4-5",
            "claude-haiku-4-5",
            "ANTHROPIC_API_KEY",
            counts=("reasoning_output", "cache_read_input", "cache_creation_input"),
            lacks={"audio": "a message has texts, images and documents", "json_mode": "JSON comes by a schema only"},
            losses=("message.name",),
        ),
        Format(
            "gemini-generate",
            "gemini",
            "gemini-2.5-flash",
            "gemini-2.5-pro",
            "GOOGLE_API_KEY",
            counts=("reasoning_output", "cache_read_input"),
            losses=("tool_result.is_error", "text.cache", "tool.cache", "message.name"),
        ),
        Format(
            "cohere-chat",
            "cohere",
            "command-a-reasoning-08-2025",
            "command-a-03-2025",
            "CO_API_KEY",
            counts=("reasoning_output", "cache_read_input"),
            lacks={
                "pdf": "a message has texts and images",
                "audio": "a message has texts and images",
                "image_result": NO_MEDIA_IN_RESULTS,
                "pdf_result": NO_MEDIA_IN_RESULTS,
            },
            losses=(
                "tool_result.is_error",
                "text.cache",
                "tool.cache",
                "message.name",
                "reasoning",
            ),
        ),
        Format(
            "ollama-chat",
            "ollama",
            "qwen3:8b",
            "llama3.2",
            "OLLAMA_API_KEY",
            lacks={
                "tool_choice": "the model is free to call, always",
                "image.url": "images are data",
                "pdf": "a message has one text, and images",
                "audio": "a message has one text, and images",
                "image_result": NO_MEDIA_IN_RESULTS,
                "pdf_result": NO_MEDIA_IN_RESULTS,
            },
            losses=(
                "tool_result.is_error",
                "text.cache",
                "tool.cache",
                "message.name",
                "tool_choice",
                "reasoning",
            ),
        ),
        Format(
            "bedrock-converse",
            "bedrock",
            "anthropic.claude-sonnet-4-5-20250929-v1:0",
            "amazon.nova-pro-v1:0",
            "AWS_BEARER_TOKEN_BEDROCK",
            counts=("cache_read_input",),
            lacks={"json_mode": "JSON comes by a schema only", "image.url": "images are data, or in S3"},
            losses=("text.cache", "tool.cache", "message.name"),
        ),
    )
}
"""By protocol."""
