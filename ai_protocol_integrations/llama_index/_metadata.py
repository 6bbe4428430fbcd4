"""What manifests know of a model, in LlamaIndex's words."""

from __future__ import annotations

from llama_index.core.base.llms.types import LLMMetadata

from ai_protocol_runtime.flow.notices import UnknownModelWarning, warn
from ai_protocol_runtime.flow.prepare import Target
from ai_protocol_runtime.manifest.schema import ModelFacts

ASSUMED_WINDOW = 32_768
"""Tokens that a model is taken to read of which nobody has said how many."""

_warned: set[tuple[str, str]] = set()


def metadata_of(
    target: Target, facts: ModelFacts, *, window: int | None, tools: bool | None, most: int | None
) -> LLMMetadata:
    """The metadata of a model. `window` (tokens it reads) and `tools` (whether it calls any) count over what is known,
    `most` is how many tokens are asked for at most (None: LlamaIndex reserves as many as it does for any). A model
    whose window nobody has told of is warned of, once."""
    window = window or facts.max_input or facts.context_window
    if window is None:
        window = ASSUMED_WINDOW
        whom = target.provider.id, target.model
        if whom not in _warned:
            _warned.add(whom)
            said = f"no manifest knows how much {target.model} reads; {window:,} tokens are assumed"
            warn(f"{said}: say context_window=...", UnknownModelWarning)
    return LLMMetadata(
        context_window=window,
        num_output=most or -1,
        is_chat_model=True,
        is_function_calling_model=facts.tool_calling if tools is None else tools,
        model_name=target.model,
    )
