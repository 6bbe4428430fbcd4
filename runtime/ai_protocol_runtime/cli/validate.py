"""``ai-protocol validate``: everything that is wrong with manifests, by file and line."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from ai_protocol_runtime.manifest import Document, Manifests, validate_files
from ai_protocol_runtime.manifest.folders import scan
from ai_protocol_runtime.manifest.validation import nearest
from ai_protocol_runtime.types.errors import ManifestError
from ai_protocol_runtime.wire import EMBED, RERANK, compiled

from . import note, say


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="*", type=Path, help="default: all manifests that are visible")
    parser.add_argument("--manifests", metavar="FOLDER", help="manifests of your own, read before all others")


def run(options: argparse.Namespace) -> int:
    known = Manifests(options.manifests, watch=False)
    paths = options.files or [file.path for files in scan(tuple(known.folders)).values() for file in files]
    errors = [error for path in paths for error in _errors(path, options.manifests, known)]
    for error in errors:
        say(str(error))
    count = f"{len(paths)} manifest{'s' * (len(paths) != 1)}"
    note(f"{count}, {len(errors) or 'no'} error{'s' * (len(errors) != 1)}")
    return 1 if errors else 0


def _errors(path: Path, folder: str | None, known: Manifests) -> Iterator[ManifestError]:
    errors = validate_files([path], folder)
    yield from errors or _deeper(Document.read(path), known)


def _deeper(document: Document, known: Manifests) -> Iterator[ManifestError]:
    """What the schema of one file cannot see: shapes that do not compile, names that lead nowhere."""
    data = document.data
    if "request" in data:
        try:
            compiled(data, document.error)
        except ManifestError as error:
            yield error
    for key in ("protocols", EMBED, RERANK):
        for name in data.get(key) or {}:
            if name not in known.wires():
                yield document.error((key, name), f"unknown wire format `{name}`{nearest(name, known.wires())}")
    if "models" in data and "provider" in data:
        try:
            known.provider(data["provider"])
        except ManifestError as error:
            yield document.error(("provider",), error.message)
