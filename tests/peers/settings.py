"""Inputs: sampling, reasoning and all else that constructors and calls say."""

from __future__ import annotations

from .asked import add, bound
from .inputs import CACHE, Input
from .peers import ANTHROPIC, CHAT, GEMINI, RESPONSES

OPENAI = (CHAT, RESPONSES)
REASONER = {
    "openai-chat": "o3",
    "openai-responses": "o3",
    "anthropic-messages": "claude-opus-4-5",
    "gemini-generate": "gemini-3.1-pro-preview",
}
NOT_GEMINI = (CHAT, RESPONSES, ANTHROPIC)


def all_of(**said: object) -> dict[str, dict[str, object]]:
    return {peer.wire: said for peer in (CHAT, RESPONSES, ANTHROPIC, GEMINI)}


SETTINGS = [
    Input("temperature", fields={"temperature": 0.3}),
    Input("temperature 0", fields={"temperature": 0}),
    Input("top_p", fields={"top_p": 0.9}),
    Input("top_k", fields={"top_k": 5}, peers=(ANTHROPIC, GEMINI)),
    Input("max_tokens", fields={"max_tokens": 100}),
    Input("stop", fields={"stop": ["END", "."]}, peers=(CHAT, ANTHROPIC, GEMINI)),
    Input("stop for one call", call={"stop": ["END"]}),
    Input(
        "stop for one call over the usual",
        fields={"stop": ["A"]},
        call={"stop": ["B"]},
        peers=(CHAT, ANTHROPIC, GEMINI),
    ),
    Input("seed", fields={"seed": 7}, peers=(CHAT, GEMINI)),
    Input("n", fields={"n": 2}, peers=(CHAT, GEMINI)),
    Input("many at once", fields={"temperature": 0.1, "top_p": 0.9, "max_tokens": 5}, peers=(CHAT, RESPONSES, GEMINI)),
    Input("penalties", call={"presence_penalty": 0.5, "frequency_penalty": 0.25}, peers=(CHAT, GEMINI)),
    Input("logprobs", call={"logprobs": True, "top_logprobs": 2}, peers=(CHAT,)),
    Input(
        "logprobs of Google's",
        their_call={"gemini-generate": {"response_logprobs": True, "logprobs": 2}},
        our_call={"logprobs": True, "top_logprobs": 2},
        peers=(GEMINI,),
    ),
    Input("streamed", stream=True),
    Input("streamed, with tools", ask=bound(add), stream=True),
    Input("temperature for one call", fields={"temperature": 0.9}, call={"temperature": 0.1}),
    Input("max_tokens for one call", fields={"max_tokens": 9}, call={"max_tokens": 11}),
    Input("model for one call", call={"model": "another-model"}, peers=(CHAT, RESPONSES, ANTHROPIC)),
    Input("effort", theirs=all_of(reasoning_effort="low"), ours={"reasoning": "low"}, model=REASONER),
    Input("effort: high", theirs=all_of(reasoning_effort="high"), ours={"reasoning": "high"}, model=REASONER),
    Input(
        "effort for one call",
        their_call=all_of(reasoning_effort="medium"),
        our_call={"reasoning": "medium"},
        model=REASONER,
    ),
    Input(
        "effort and summary",
        theirs=all_of(reasoning={"effort": "medium", "summary": "auto"}),
        ours={"reasoning": {"effort": "medium", "summary": "auto"}},
        model=REASONER,
        peers=(RESPONSES,),
    ),
    Input(
        "thinking budget",
        theirs={
            "anthropic-messages": {"thinking": {"type": "enabled", "budget_tokens": 2000}},
            "gemini-generate": {"thinking_budget": 2000},
        },
        fields={"max_tokens": 5000},
        ours={"reasoning": 2000},
        peers=(ANTHROPIC, GEMINI),
    ),
    Input(
        "thinking off",
        theirs={"anthropic-messages": {"thinking": {"type": "disabled"}}},
        ours={"reasoning": False},
        peers=(ANTHROPIC,),
    ),
    Input(
        "thoughts included",
        theirs=all_of(include_thoughts=True),
        ours={"reasoning": {"include": True}},
        peers=(GEMINI,),
    ),
    Input(
        "thinking with a forced tool",
        theirs={"anthropic-messages": {"thinking": {"type": "enabled", "budget_tokens": 2000}}},
        fields={"max_tokens": 5000},
        ours={"reasoning": 2000, "on_unsupported": "drop"},
        ask=bound(add, tool_choice="any"),
        peers=(ANTHROPIC,),
    ),
    Input("verbosity", their_call=all_of(verbosity="low"), our_call={"verbosity": "low"}, model=REASONER, peers=OPENAI),
    Input("service tier", call={"service_tier": "flex"}, peers=OPENAI),
    Input("store and metadata", call={"store": False, "metadata": {"a": "b"}}, peers=OPENAI),
    Input("include", call={"include": ["reasoning.encrypted_content"]}, peers=(RESPONSES,)),
    Input(
        "previous answer",
        their_call=all_of(previous_response_id="resp_9"),
        our_call={"previous_id": "resp_9"},
        peers=(RESPONSES,),
    ),
    Input("user", call={"user": "u"}, peers=OPENAI),
    Input(
        "user of Anthropic's", their_call=all_of(metadata={"user_id": "u"}), our_call={"user": "u"}, peers=(ANTHROPIC,)
    ),
    Input(
        "cache breakpoint for one call",
        their_call=all_of(cache_control=CACHE),
        our_call={"extra_body": {"cache_control": CACHE}},
        peers=(ANTHROPIC,),
    ),
    Input(
        "modalities",
        call={},
        theirs={"gemini-generate": {"response_modalities": ["TEXT", "IMAGE"]}},
        our_call={"modalities": ["text", "image"]},
        peers=(GEMINI,),
    ),
    Input(
        "safety settings",
        theirs={"gemini-generate": {"safety_settings": {"HARM_CATEGORY_HARASSMENT": "BLOCK_NONE"}}},
        ours={"extra_body": {"safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]}},
        peers=(GEMINI,),
    ),
    Input("extra body", fields={"extra_body": {"anything": {"a": 1}}}, peers=OPENAI),
    Input(
        "prompt cache key",
        their_call=all_of(prompt_cache_key="k"),
        our_call={"extra_body": {"prompt_cache_key": "k"}},
        peers=OPENAI,
    ),
]
