"""A place among the providers of `init_chat_model`, `create_agent` and `init_embeddings`."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

_NAMES = ("ai-protocol", "ai_protocol")  # as it is written before the colon, and as LangChain then has it
_TABLES = {"langchain.chat_models.base": "ChatAIProtocol", "langchain.embeddings.base": "AIProtocolEmbeddings"}
_TABLE = "_BUILTIN_PROVIDERS"


def register() -> None:
    """Have ``init_chat_model("ai-protocol:provider/model")`` make a `ChatAIProtocol`; `create_agent` takes the same
    text, ``init_embeddings`` makes an `AIProtocolEmbeddings` of one, and ``model_provider="ai-protocol"`` works too.

    LangChain has no door for this, so it is put into the tables in which `langchain` keeps its own providers, for the
    rest of the process. Doing so again changes nothing.

    Raises `ImportError` without the package `langchain`, and `RuntimeError` where its tables are not as they were: then
    make the model by its class, which is the same and works everywhere.
    """
    if find_spec("langchain") is None:
        raise ImportError("register() needs langchain; install it with: pip install langchain", name="langchain")
    tables = {home: _table(home) for home in _TABLES}
    for home, table in tables.items():
        for name in _NAMES:
            table[name] = (__package__, _TABLES[home], _made)


def _table(home: str) -> dict[str, Any]:
    table = getattr(import_module(home), _TABLE, None)
    if not isinstance(table, dict) or not all(map(_is_entry, table.values())):
        raise RuntimeError(
            f"this version of langchain keeps its providers in another form than {home}.{_TABLE}; "
            f"use {_TABLES[home]}(model=...) instead"
        )
    return table


def _is_entry(entry: Any) -> bool:
    """Whether it is what LangChain makes a model by: a module, a class of it, and a function that calls that."""
    match entry:
        case (str(), str(), made):
            return callable(made)
    return False


def _made(cls: type[Any], **arguments: Any) -> Any:
    return cls(**arguments)
