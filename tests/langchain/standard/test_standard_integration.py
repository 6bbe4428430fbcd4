"""`ChatModelIntegrationTests` of langchain-tests, in each wire format, over HTTP."""

from __future__ import annotations

import pytest

from .formats import FORMATS
from .suites import Integration

pytestmark = [
    pytest.mark.filterwarnings("ignore:no manifest knows"),  # models of providers without a list of them
]


class TestOpenAIChat(Integration):
    format = FORMATS["openai-chat"]


class TestOpenAIResponses(Integration):
    format = FORMATS["openai-responses"]


class TestAnthropicMessages(Integration):
    format = FORMATS["anthropic-messages"]


class TestGeminiGenerate(Integration):
    format = FORMATS["gemini-generate"]


class TestCohereChat(Integration):
    format = FORMATS["cohere-chat"]


class TestOllamaChat(Integration):
    format = FORMATS["ollama-chat"]


class TestBedrockConverse(Integration):
    format = FORMATS["bedrock-converse"]
