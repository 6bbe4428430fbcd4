"""The wire language: shapes written once and read both ways, and the framings they travel in."""

from .exchange import ServiceFormat
from .format import WireFormat, compiled, service_format, wire_format
from .kinds import CHAT, EMBED, RERANK, SERVICES
from .reader import StreamReader

__all__ = [
    "CHAT",
    "EMBED",
    "RERANK",
    "SERVICES",
    "ServiceFormat",
    "StreamReader",
    "WireFormat",
    "compiled",
    "service_format",
    "wire_format",
]
