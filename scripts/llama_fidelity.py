"""The measure of fidelity, taken through LlamaIndex: the same judge, the same recordings, another framework.

    python scripts/llama_fidelity.py TOOLS CORPUS [--json OUT] [--show K] ...

TOOLS is the folder of ``fidelity.py``, which measures LangChain's classes; what follows it are its own arguments. Its
model is replaced by one that asks `AIProtocolLLM` and shows the response under the names that it looks for.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from llama_index.core.base.llms.types import ChatMessage, ChatResponse, TextBlock, ThinkingBlock

from ai_protocol_integrations import AIProtocolLLM
from ai_protocol_integrations.langchain import ChatAIProtocol


class Shown:
    """A response, or what there is of it in one item of a stream; the last of those is the whole."""

    def __init__(self, response: ChatResponse) -> None:
        self.response, message = response, response.message
        more, usage = message.additional_kwargs, response.additional_kwargs
        self.text = "".join(block.text for block in message.blocks if isinstance(block, TextBlock))
        if refused := more.get("refusal"):  # the judge does not count it among the text
            self.text = self.text.removesuffix(refused)
        thoughts = (block.content for block in message.blocks if isinstance(block, ThinkingBlock))
        self.content_blocks = [{"type": "reasoning", "reasoning": thought} for thought in thoughts]
        self.invalid_tool_calls = more.get("invalid_tool_calls", [])
        invalid = [call["id"] for call in self.invalid_tool_calls]
        calls = (block for block in message.blocks if block.block_type == "tool_call")
        self.tool_calls = [
            {"name": call.tool_name, "args": call.tool_kwargs} for call in calls if call.tool_call_id not in invalid
        ]
        names = {"input_tokens": "prompt_tokens", "output_tokens": "completion_tokens"}
        self.usage_metadata = {ours: usage[name] for ours, name in names.items() if name in usage}
        self.response_metadata = response.raw or {}

    def __add__(self, later: Shown) -> Shown:
        return later

    def model_dump(self) -> dict[str, Any]:
        return self.response.model_dump()


def model(exchange: dict[str, Any], url: str) -> Any:
    """The LLM that reads an exchange as the judge's own choice of `ChatAIProtocol` would."""
    chat: ChatAIProtocol = CHOSEN(exchange, url)
    settings = {name: getattr(chat, name) for name in ("model", "base_url", "protocol", "max_retries")}
    llm = AIProtocolLLM(api_key="k", **settings)

    def stream(said: str) -> Iterator[Shown]:
        return map(Shown, llm.stream_chat([ChatMessage(said)]))

    return SimpleNamespace(stream=stream, invoke=lambda said: Shown(llm.chat([ChatMessage(said)])))


if __name__ == "__main__":
    sys.path.insert(0, sys.argv.pop(1))
    import fidelity  # type: ignore[import-not-found]

    CHOSEN = fidelity.ours
    fidelity.ours = model
    sys.exit(fidelity.main())
