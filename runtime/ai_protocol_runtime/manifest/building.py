"""From files to manifests: each kind read, checked, laid over what it extends, and given what it inherits."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from ai_protocol_runtime.types.errors import ManifestError

from .document import Document
from .folders import MODELS, PROVIDERS, WIRE, File, Key, Listing
from .schema import Inherited, ModelEntry, ModelFile, ModelManifest, ProviderManifest, WireManifest
from .validation import checked, nearest

DEFAULTS = "_defaults"
"""The file of what every provider inherits."""

M = TypeVar("M", bound=BaseModel)


@lru_cache(maxsize=128)
def read(file: File) -> Document:
    """The file as it was then, or is by now: if it has changed in between, the next look will find another stamp."""
    return Document.read(file.path)


class Reading:
    """Files asked for by name. `seen` is what was there, or was not: as long as that is the same, so is the result."""

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.seen: dict[Key, tuple[File, ...]] = {}

    def files(self, kind: str, name: str) -> tuple[File, ...]:
        return self.seen.setdefault((kind, name), self.listing.get((kind, name), ()))


class Models:
    """The models of one provider, by id."""

    def __init__(self, by_id: dict[str, ModelManifest]) -> None:
        self.by_id = by_id
        self._aliases = {alias: model for model in by_id.values() for alias in model.aliases}
        self._patterns = {alias: _pattern(alias) for alias in self._aliases if "*" in alias}

    def find(self, name: str) -> ModelManifest | None:
        """The model with this id; else this alias; else an alias with an asterisk that fits, the longest first."""
        found = self.by_id.get(name) or self._aliases.get(name)
        if found is None:
            fitting = [alias for alias, pattern in self._patterns.items() if pattern.fullmatch(name)]
            return self._aliases[max(fitting, key=len)] if fitting else None
        return found


def inherited(reading: Reading) -> Inherited:
    """What every provider inherits: nothing, if there is no file of it."""
    files = reading.files(PROVIDERS, DEFAULTS)
    return checked(Inherited, read(files[0])) if files else Inherited()


def provider(reading: Reading, name: str, beneath: Inherited) -> ProviderManifest:
    """The provider of a file, with what it extends and inherits."""
    first, *behind = reading.files(PROVIDERS, name)
    document = layered(reading, name, read(first), tuple(behind))
    manifest = checked(ProviderManifest, document)
    _named(document, "id", manifest.id)
    return _with(manifest, beneath)


def wire(reading: Reading, name: str) -> WireManifest:
    """The wire format of a file."""
    document = read(reading.files(WIRE, name)[0])
    manifest = checked(WireManifest, document)
    _named(document, "id", manifest.id)
    manifest._document = document
    return manifest


def models(reading: Reading, name: str) -> Models:
    """The models of a provider: of all its files, then of what it extends. The first to name a model counts."""
    entries: dict[str, ModelEntry] = {}
    for file in reversed((*reading.files(MODELS, name), *_models_below(reading, name))):
        document = read(file)
        content = checked(ModelFile, document)
        _named(document, "provider", content.provider)
        entries |= content.models
    return Models(
        {id: ModelManifest.model_construct(**dict(entry), id=id, provider=name) for id, entry in entries.items()}
    )


def layered(
    reading: Reading, name: str, document: Document, behind: tuple[File, ...], above: tuple[str, ...] = ()
) -> Document:
    """A provider's document, laid over what it extends: the first of the files `behind` it, or that of another name."""
    base = document.data.get("extends")
    if not isinstance(base, str):
        return document
    below = behind if base == name else reading.files(PROVIDERS, base)
    if not below:
        known = [id for kind, id in reading.listing if kind == PROVIDERS and id not in (name, DEFAULTS)]
        raise document.error(("extends",), f"there is no other provider `{base}`{nearest(base, known)}")
    if document.file in above:
        raise document.error(("extends",), f"`{base}` extends this provider in its turn")
    lower = layered(reading, base, read(below[0]), below[1:], (*above, document.file))
    # Another provider has names of its own; an override of the same one keeps them.
    return document.over(lower, without=() if base == name else ("id", "aliases"))


def aliases(listing: Listing) -> dict[str, str]:
    """The ids of providers by their aliases. A file that cannot be read has none."""
    found: dict[str, str] = {}
    for (kind, name), files in listing.items():
        if kind != PROVIDERS:
            continue
        for file in files:
            try:
                said = read(file).data.get("aliases")
            except ManifestError:
                continue
            for alias in said if isinstance(said, list) else ():
                found.setdefault(str(alias), name)
    return found


def _models_below(reading: Reading, name: str) -> tuple[File, ...]:
    files: tuple[File, ...] = ()
    names = [name]
    while own := reading.files(PROVIDERS, names[-1]):
        base = next((base for file in own if (base := read(file).data.get("extends")) != names[-1]), None)
        if not isinstance(base, str) or base in names:
            break
        files += reading.files(MODELS, base)
        names.append(base)
    return files


def _pattern(alias: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, alias.split("*"))))


def _named(document: Document, key: str, said: str) -> None:
    name = Path(document.file).stem
    if said != name:
        raise document.error((key,), f"the file is called {name}, so `{key}` must be `{name}`, not `{said}`")


def _with(own: M, below: BaseModel) -> M:
    """`own` with what it inherits: maps are merged, lists come after, and of the rest what it does not say itself."""
    update: dict[str, Any] = {}
    for name in type(below).model_fields:
        mine, theirs = getattr(own, name), getattr(below, name)
        if isinstance(mine, BaseModel):
            update[name] = _with(mine, theirs)
        elif isinstance(mine, list):
            update[name] = mine + theirs
        elif isinstance(mine, dict):
            update[name] = {**theirs, **mine}
        elif name not in own.model_fields_set:
            update[name] = theirs
    return own.model_copy(update=update)
