"""`content_blocks` of v0 messages: LangChain asks a translator by the provider's name, and gets the one from here.

The name has to be the provider's own, because middleware compares it, and LangChain or another package may have a
translator of that name. So ours looks whether a message is of this package, and gives every other to that one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain_core.messages.block_translators import get_translator, register_translator

from ._versions import blocks_of, pieces_of

Translate = Callable[[Any], Any]

_ours: dict[str, Any] = {}
"""What is registered for each provider, to see whether it still is."""


def translate_for(provider: str) -> None:
    """See to it that messages of ours with this provider's name are understood."""
    before = get_translator(provider)
    if before is None or before is not _ours.get(provider):
        others = before or {}
        register_translator(
            provider,
            _first(blocks_of, others.get("translate_content")),
            _first(pieces_of, others.get("translate_content_chunk")),
        )
        _ours[provider] = get_translator(provider)


def _first(own: Translate, other: Translate | None) -> Translate:
    def translate(message: Any) -> Any:
        blocks = own(message)
        if blocks is not None:
            return blocks
        if other is None:
            raise NotImplementedError  # LangChain does its best then
        return other(message)

    return translate
