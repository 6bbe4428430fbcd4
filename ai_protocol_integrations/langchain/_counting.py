"""Tokens of messages: counted by the provider where that can be, else estimated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ai_protocol_runtime.client import AIClient
from ai_protocol_runtime.flow.estimate import estimate_tokens
from ai_protocol_runtime.flow.notices import warn
from ai_protocol_runtime.flow.params import read_params
from ai_protocol_runtime.types import Message
from ai_protocol_runtime.types.errors import CredentialError, ProviderError


class EstimateWarning(UserWarning):
    """Tokens are estimated, because the provider could not be asked for their number."""


_warned: set[str] = set()
"""Providers of which this process has been told so."""


def count(client: AIClient, messages: list[Message], params: Mapping[str, Any]) -> int:
    """The tokens of a request. A provider that does not answer is told of once; the number is estimated then."""
    try:
        return client.count_tokens(messages, **{"max_retries": 0, **params})
    except (CredentialError, ProviderError) as error:
        if client.provider.id not in _warned:
            _warned.add(client.provider.id)
            warn(f"{client.provider.name} did not count tokens, they are estimated: {error}", EstimateWarning)
        return estimate_tokens(read_params(messages, params)[0])
