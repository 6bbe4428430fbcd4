"""AI-Protocol for LlamaIndex."""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if find_spec("llama_index") is None or find_spec("llama_index.core") is None:
    raise ImportError(
        "ai_protocol_integrations.llama_index needs llama-index-core; "
        "install it with: pip install 'ai-protocol-integrations[llama-index]'",
        name="llama_index.core",
    )

if TYPE_CHECKING:
    from .embedding import AIProtocolEmbedding
    from .llm import AIProtocolLLM
    from .rerank import AIProtocolRerank

__all__ = ["AIProtocolEmbedding", "AIProtocolLLM", "AIProtocolRerank"]

_HOMES = {"AIProtocolEmbedding": ".embedding", "AIProtocolLLM": ".llm", "AIProtocolRerank": ".rerank"}


def __getattr__(name: str) -> Any:
    # Whoever wants one of them needs no more than that.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name], __name__), name)
