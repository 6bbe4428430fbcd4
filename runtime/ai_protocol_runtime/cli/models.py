"""``ai-protocol models``: what is known of models."""

from __future__ import annotations

import argparse

from ai_protocol_runtime.manifest import ModelManifest, manifests

from . import note, table


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("provider", metavar="PROVIDER", nargs="?", help="of this provider alone")
    parser.add_argument("--manifests", metavar="FOLDER", help="manifests of your own, read before all others")


def run(options: argparse.Namespace) -> int:
    models = manifests(options.manifests).models(options.provider)
    if not models:
        note("no model is described; any name that the provider knows may be used all the same")
        return 0
    rows = [
        [
            f"{model.provider}/{model.id}",
            _count(model.context_window),
            _count(model.max_output),
            f"{' '.join(model.inputs)} -> {' '.join(model.outputs)}",
            _abilities(model),
            f"{model.prices.input:g} / {model.prices.output:g}" if model.prices else "",
            f"{model.released or ''}{' deprecated' if model.deprecated else ''}",
        ]
        for model in models
    ]
    table(["model", "context", "output", "reads -> writes", "takes", "$ per million in / out", "released"], rows)
    return 0


def _count(tokens: int | None) -> str:
    return "" if tokens is None else f"{tokens:,}"


def _abilities(model: ModelManifest) -> str:
    known = {"tools": model.tool_calling, "schema": model.structured_output, "temperature": model.temperature}
    words = [word for word, has in known.items() if has]
    if model.reasoning is not None:
        ways = [*model.reasoning.efforts, *(["budget"] if model.reasoning.budget else [])]
        words.append(f"reasoning({'|'.join(ways)})" if ways else "reasoning")
    return " ".join(words)
