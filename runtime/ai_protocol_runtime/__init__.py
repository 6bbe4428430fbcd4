"""The runtime by itself: reads manifests, and does what they say. No framework, and nothing imported before it is
needed.

    from ai_protocol_runtime import AIClient

    answer = AIClient("simulator/echo").chat("hello")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .client import AIClient

__all__ = ["AIClient"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from .client import AIClient

        return AIClient
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
