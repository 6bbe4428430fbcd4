"""The wire language: shapes written once and read both ways, and the framings they travel in."""

from .format import WireFormat, wire_format
from .reader import StreamReader

__all__ = ["StreamReader", "WireFormat", "wire_format"]
