"""AI-Protocol for LangChain."""

from importlib.util import find_spec

if find_spec("langchain_core") is None:
    raise ImportError(
        "ai_protocol_integrations.langchain needs langchain-core; "
        "install it with: pip install 'ai-protocol-integrations[langchain]'",
        name="langchain_core",
    )

from ._structured import RefusalError
from .chat_models import ChatAIProtocol

__all__ = ["ChatAIProtocol", "RefusalError"]
