"""Log-probabilities -> LlamaIndex's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llama_index.core.base.llms.types import LogProb

from ai_protocol_runtime.types import Answer, Candidate, Text

LogProbs = list[list[LogProb]]
"""For every token the likeliest ones, the token that was chosen first."""


def logprobs_of(answer: Answer, candidate: Candidate) -> LogProbs | None:
    """Those of a whole answer, given for it or for its texts; None where there are none."""
    said = [candidate.logprobs, *(part.logprobs for part in candidate.message.parts if isinstance(part, Text))]
    return read_logprobs(said)


def read_logprobs(said: Any) -> LogProbs | None:
    """A list of tokens as OpenAI's APIs have it (``token``, ``logprob``, ``bytes``, ``top_logprobs``), alone or under
    ``content`` and ``refusal``; a list of such is joined. None for what has another form: it stands in ``raw`` as it
    came.

    https://platform.openai.com/docs/api-reference/chat/object
    """
    return list(_tokens(said)) or None


def _tokens(said: Any) -> Iterable[list[LogProb]]:
    if isinstance(said, list):
        for one in said:
            yield from _tokens(one)
    elif isinstance(said, dict):
        if isinstance(said.get("token"), str):
            likely = said.get("top_logprobs")
            others = [_token(other) for other in likely if isinstance(other, dict)] if isinstance(likely, list) else []
            chosen = _token(said)
            yield [chosen, *(other for other in others if other.token != chosen.token)]
        else:
            for key in ("content", "refusal"):
                yield from _tokens(said.get(key))


def _token(said: dict[str, Any]) -> LogProb:
    value = said.get("logprob")
    number = float(value) if isinstance(value, int | float) else float("-inf")
    spelt = said.get("bytes")
    token = str(said.get("token") or "")
    return LogProb(token=token, logprob=number, bytes=spelt if isinstance(spelt, list) else list(token.encode()))
