"""What manifests know of a model, in LangChain's words."""

from __future__ import annotations

from typing import Any, cast

from langchain_core.language_models import ModelProfile

from ai_protocol_runtime.manifest import Manifests
from ai_protocol_runtime.manifest.schema import ModelFacts

_ABILITIES = ("tool_calling", "tool_choice", "structured_output", "temperature")
_INPUTS = ("text", "image", "audio", "video", "pdf")
_OUTPUTS = ("text", "image", "audio", "video")


class Profile(dict[str, Any]):
    """A profile that was worked out here, not given: where the model changes, another takes its place."""


def profile_of(known: Manifests, provider: str, model: str) -> ModelProfile:
    """The profile of a model. What nobody has said of it is left out: of a model that no manifest knows, that is all
    but what the provider's says of those."""
    entry = known.model(provider, model)
    profile = Profile()
    if entry is not None:
        profile["name"] = entry.name
        profile["status"] = "deprecated" if entry.deprecated else "active"
        profile["release_date"] = entry.released and entry.released.isoformat()
        profile |= _facts(entry, set(type(entry).model_fields))
    else:
        facts = known.provider(provider).models
        profile |= _facts(facts, facts.model_fields_set)
    return cast("ModelProfile", Profile({key: value for key, value in profile.items() if value is not None}))


def _facts(facts: ModelFacts, said: set[str]) -> dict[str, Any]:
    profile: dict[str, Any] = {name: bool(getattr(facts, name)) for name in _ABILITIES if name in said}
    profile["max_input_tokens"] = facts.max_input or facts.context_window
    profile["max_output_tokens"] = facts.max_output
    if "tool_calling" in said:
        profile["tool_call_streaming"] = facts.tool_calling  # a call comes in pieces, or whole in one
    if "inputs" in said:
        profile |= {f"{kind}_inputs": kind in facts.inputs for kind in _INPUTS}
        profile["attachment"] = facts.inputs != ["text"]
    if "outputs" in said:
        profile |= {f"{kind}_outputs": kind in facts.outputs for kind in _OUTPUTS}
    if "reasoning" in said:
        profile["reasoning_output"] = facts.reasoning is not None
    if facts.reasoning is not None and facts.reasoning.efforts:
        profile["reasoning_effort_levels"] = list(facts.reasoning.efforts)
        profile["reasoning_effort_default"] = facts.reasoning.default
    return profile
