"""Manifests: what is known of providers, wire formats and models, as YAML files checked against one schema."""

from .document import Document
from .files import validate_files
from .loader import Manifests, ManifestWarning, manifests
from .schema import ModelManifest, ProviderManifest, WireManifest

__all__ = [
    "Document",
    "ManifestWarning",
    "Manifests",
    "ModelManifest",
    "ProviderManifest",
    "WireManifest",
    "manifests",
    "validate_files",
]
