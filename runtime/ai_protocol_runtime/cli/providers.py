"""``ai-protocol providers``: who there is, and how to reach them."""

from __future__ import annotations

import argparse
import os

from ai_protocol_runtime.manifest import ProviderManifest, manifests
from ai_protocol_runtime.wire import SERVICES

from . import say, table


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("provider", metavar="PROVIDER", nargs="?", help="all that is known of this one")
    parser.add_argument("--manifests", metavar="FOLDER", help="manifests of your own, read before all others")


def run(options: argparse.Namespace) -> int:
    known = manifests(options.manifests)
    if options.provider is not None:
        _describe(known.provider(options.provider))
        return 0
    providers = [known.provider(name) for name in known.providers()]
    rows = [[provider.id, provider.name, ", ".join(_formats(provider)), _key(provider)] for provider in providers]
    table(["id", "name", "wire formats", "key"], rows)
    return 0


def _describe(provider: ProviderManifest) -> None:
    facts = [
        ("id", ", ".join([provider.id, *provider.aliases])),
        ("name", provider.name),
        ("website", provider.website or ""),
        ("base URL", provider.base_url),
        *_formats(provider).items(),
        ("key", _key(provider)),
        *((name, variable.description) for name, variable in provider.variables.items()),
        ("compared", f"{provider.docs.checked}, with {' '.join(provider.docs.pages)}"),
        ("notes", provider.docs.notes or ""),
    ]
    width = max(len(name) for name, _ in facts)
    for name, fact in facts:
        if fact:
            say(f"{name:{width}}  {' '.join(fact.split())}")


def _formats(provider: ProviderManifest) -> dict[str, str]:
    """The wire formats it speaks, and where."""
    return {name: endpoint.path for service in SERVICES for name, endpoint in provider.endpoints(service).items()}


def _key(provider: ProviderManifest) -> str:
    names = provider.credentials.env
    found = next((name for name in names if os.environ.get(name)), None)
    if found:
        return f"{found} (set)"
    if provider.credentials.required:
        return " or ".join(names)
    return f"none needed ({' or '.join(names)})" if names else "none needed"
