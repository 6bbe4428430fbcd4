"""A provider that needs no key and no network: it speaks every wire format through the same shapes as the client.

`simulate` scripts a model for a test; `behaviour` lists what the name of an unscripted one asks for.
"""

from typing import TYPE_CHECKING, Any

from .script import Received, Simulated, simulate

if TYPE_CHECKING:
    from .http import Server
    from .inprocess import InProcessTransport
    from .server import Simulator

__all__ = ["InProcessTransport", "Received", "Server", "Simulated", "Simulator", "simulate"]

_LATER = {"InProcessTransport": "inprocess", "Server": "http", "Simulator": "server"}


def __getattr__(name: str) -> Any:
    # Whoever scripts a model needs neither the wire formats nor a server.
    if name in _LATER:
        from importlib import import_module

        return getattr(import_module(f".{_LATER[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
