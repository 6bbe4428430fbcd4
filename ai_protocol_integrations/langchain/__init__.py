"""AI-Protocol for LangChain."""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if find_spec("langchain_core") is None:
    raise ImportError(
        "ai_protocol_integrations.langchain needs langchain-core; "
        "install it with: pip install 'ai-protocol-integrations[langchain]'",
        name="langchain_core",
    )

from ._registration import register
from ._structured import RefusalError
from .chat_models import ChatAIProtocol

if TYPE_CHECKING:
    from .embeddings import AIProtocolEmbeddings
    from .reranker import AIProtocolReranker

__all__ = ["AIProtocolEmbeddings", "AIProtocolReranker", "ChatAIProtocol", "RefusalError", "register"]

_LATER = {"AIProtocolEmbeddings": ".embeddings", "AIProtocolReranker": ".reranker"}


def __getattr__(name: str) -> Any:
    # Whoever wants the chat model needs no more than that.
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LATER[name], __name__), name)
