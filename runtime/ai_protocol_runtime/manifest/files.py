"""Files checked by themselves, for the command line: everything that is wrong with each of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ai_protocol_runtime.types.errors import ManifestError

from .building import DEFAULTS, Reading, layered
from .document import Document
from .folders import KINDS, MODELS, PROVIDERS, WIRE, chain, scan
from .schema import Inherited, ModelFile, ProviderManifest, Section, WireManifest
from .validation import problems

_TELLING = {"base_url": PROVIDERS, "protocols": PROVIDERS, "extends": PROVIDERS, "models": MODELS, "request": WIRE}


def validate_files(paths: Iterable[Path], folder: str | Path | None = None) -> list[ManifestError]:
    """All errors of the files, by file and line; an empty list if they are right.

    What kind of manifest a file is, the folder it is in tells, or else its keys. Providers that it extends are looked
    for as `Manifests(folder)` does. Shapes of wire formats are not compiled here.
    """
    reading = Reading(scan(chain(folder)))
    return [error for path in paths for error in _errors(path, reading)]


def _errors(path: Path, reading: Reading) -> list[ManifestError]:
    try:
        document = Document.read(path)
        kind = path.parent.name if path.parent.name in KINDS else _kind(document)
        if kind == PROVIDERS and path.stem != DEFAULTS:
            others = reading.files(PROVIDERS, path.stem)
            own = next((n for n, file in enumerate(others) if file.path.exists() and path.samefile(file.path)), -1)
            document = layered(reading, path.stem, document, others[own + 1 :])
    except ManifestError as error:
        return [error]
    key = "provider" if kind == MODELS else "id"
    found = problems(_schema(kind, path.stem), document)
    said = document.data.get(key)
    if isinstance(said, str) and said != path.stem:
        found.append(document.error((key,), f"the file is called {path.stem}, so `{key}` must be `{path.stem}`"))
    return found


def _kind(document: Document) -> str:
    kind = next((kind for key, kind in _TELLING.items() if key in document.data), None)
    if kind is None:
        raise document.error((), f"is no manifest: none of the keys {', '.join(_TELLING)}")
    return kind


def _schema(kind: str, name: str) -> type[Section]:
    if kind == PROVIDERS:
        return Inherited if name == DEFAULTS else ProviderManifest
    return ModelFile if kind == MODELS else WireManifest
