"""``ai-protocol providers``: who there is, and how to reach them."""

from __future__ import annotations

import argparse
import os

from ai_protocol_runtime.manifest import ProviderManifest, manifests

from . import table


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--manifests", metavar="FOLDER", help="manifests of your own, read before all others")


def run(options: argparse.Namespace) -> int:
    known = manifests(options.manifests)
    rows = []
    for name in known.providers():
        provider = known.provider(name)
        rows.append([provider.id, provider.name, ", ".join(provider.protocols), _key(provider)])
    table(["id", "name", "wire formats", "key"], rows)
    return 0


def _key(provider: ProviderManifest) -> str:
    names = provider.credentials.env
    found = next((name for name in names if os.environ.get(name)), None)
    if found:
        return f"{found} (set)"
    if provider.credentials.required:
        return " or ".join(names)
    return f"none needed ({' or '.join(names)})" if names else "none needed"
