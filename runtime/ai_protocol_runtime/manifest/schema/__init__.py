"""The pydantic models of the three kinds of manifest; `manifests/schema/` is generated from them."""

from .base import Docs, Section
from .models import ModelEntry, ModelFacts, ModelFile, ModelManifest, Prices, Reasoning
from .provider import (
    Credentials,
    EmbeddingEndpoint,
    Endpoint,
    ErrorRule,
    ErrorRules,
    Inherited,
    Protocol,
    ProviderManifest,
    Refusal,
    Retry,
    Timeouts,
    Variable,
)
from .wire import WireManifest

__all__ = [
    "Credentials",
    "Docs",
    "EmbeddingEndpoint",
    "Endpoint",
    "ErrorRule",
    "ErrorRules",
    "Inherited",
    "ModelEntry",
    "ModelFacts",
    "ModelFile",
    "ModelManifest",
    "Prices",
    "Protocol",
    "ProviderManifest",
    "Reasoning",
    "Refusal",
    "Retry",
    "Section",
    "Timeouts",
    "Variable",
    "WireManifest",
]
