"""AI-Protocol for LangChain and LlamaIndex: one class for every provider, native to each framework.

Nothing is imported until it is asked for: neither framework, nor httpx, pydantic or yaml.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .langchain import AIProtocolEmbeddings, AIProtocolReranker, ChatAIProtocol
    from .llama_index import AIProtocolEmbedding, AIProtocolLLM, AIProtocolRerank

__all__ = [
    "AIProtocolEmbedding",
    "AIProtocolEmbeddings",
    "AIProtocolLLM",
    "AIProtocolRerank",
    "AIProtocolReranker",
    "ChatAIProtocol",
    "__version__",
]

__version__ = "0.1.0"

_HOMES = {
    **dict.fromkeys(("AIProtocolEmbeddings", "AIProtocolReranker", "ChatAIProtocol"), ".langchain"),
    **dict.fromkeys(("AIProtocolEmbedding", "AIProtocolLLM", "AIProtocolRerank"), ".llama_index"),
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home, __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
