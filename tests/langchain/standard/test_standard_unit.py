"""`ChatModelUnitTests` of langchain-tests, in each wire format."""

from __future__ import annotations

import pytest

from .formats import FORMATS
from .suites import Unit

pytestmark = [
    pytest.mark.filterwarnings("ignore:no manifest knows"),  # models of providers without a list of them
]


class TestOpenAIChat(Unit):
    format = FORMATS["openai-chat"]


class TestOpenAIResponses(Unit):
    format = FORMATS["openai-responses"]


class TestAnthropicMessages(Unit):
    format = FORMATS["anthropic-messages"]


class TestGeminiGenerate(Unit):
    format = FORMATS["gemini-generate"]


class TestCohereChat(Unit):
    format = FORMATS["cohere-chat"]


class TestOllamaChat(Unit):
    format = FORMATS["ollama-chat"]


class TestBedrockConverse(Unit):
    format = FORMATS["bedrock-converse"]
