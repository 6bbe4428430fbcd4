"""All manifests that can be seen from one chain of folders, read when they are asked for and again when they change."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ai_protocol_runtime.types.errors import ManifestError

from . import building
from .building import DEFAULTS, Models, Reading
from .folders import MODELS, PROVIDERS, WIRE, File, Key, Listing, chain, scan
from .schema import Inherited, ModelManifest, ProviderManifest, WireManifest
from .validation import nearest

CHECK_EVERY = 0.25
"""Seconds between two looks at the folders. A change is seen no later than at the first access after that."""

T = TypeVar("T")


class ManifestWarning(UserWarning):
    """A changed manifest is broken; its last good version is still in use."""


@dataclass(slots=True)
class _Entry:
    """Something made of files, and the files: it holds as long as they are the same."""

    value: Any
    seen: dict[Key, tuple[File, ...]]

    def holds(self, listing: Listing) -> bool:
        return all(listing.get(key, ()) == files for key, files in self.seen.items())


@dataclass(slots=True)
class _State:
    """What there is at one moment, and what has been made of it. Only `entries` grows; a change makes another state."""

    listing: Listing
    revision: int
    entries: dict[Key, _Entry] = field(default_factory=dict)
    aliases: dict[str, str] | None = None

    def names(self, kind: str) -> list[str]:
        return sorted(name for of, name in self.listing if of == kind and name != DEFAULTS)


class Manifests:
    """The manifests of a chain of folders: `folder`, those that AI_PROTOCOL_MANIFESTS names, a person's own
    (``~/.config/ai-protocol/manifests``) and the packaged one.

    A file of a folder before replaces the one of the same name behind it; a provider may lay itself over it instead
    (``extends``), and models are added one by one. Only what is asked for is read. With `watch`, changed files are
    noticed on access, at most every `CHECK_EVERY` seconds, and taken over whole; one that is broken gives a
    `ManifestWarning`, and its last good version stays. Safe to use from several threads.

    Raises `ManifestError` for a folder that does not exist; so does every access to a manifest that is broken, or that
    is not there.
    """

    def __init__(self, folder: str | Path | None = None, *, watch: bool = True) -> None:
        self.folders: list[Path] = list(chain(folder))
        self._watch = watch
        self._lock = threading.RLock()
        self._state: _State | None = None
        self._due = 0.0
        self._good: dict[Key, Any] = {}

    @property
    def revision(self) -> int:
        """Rises whenever files have changed, been added or removed."""
        return self._now().revision

    def providers(self) -> list[str]:
        """The ids of all providers, sorted."""
        return self._now().names(PROVIDERS)

    def provider(self, name: str) -> ProviderManifest:
        """The provider with this id or alias. Raises `ManifestError`, naming the nearest, where there is none."""
        state = self._now()
        return self._provider(state, self._id(state, name))

    def wires(self) -> list[str]:
        """The ids of all wire formats, sorted."""
        return self._now().names(WIRE)

    def wire(self, name: str) -> WireManifest:
        """The wire format with this id; the same object until its file changes."""
        state = self._now()
        if (WIRE, name) not in state.listing:
            raise ManifestError(f"unknown wire format `{name}`{nearest(name, state.names(WIRE), all_of=True)}")
        return self._made(state, (WIRE, name), lambda reading: building.wire(reading, name))

    def model(self, provider: str, model: str) -> ModelManifest | None:
        """What is known of a model, by its id or an alias of it; None where nothing is."""
        state = self._now()
        return self._models(state, self._id(state, provider)).find(model)

    def models(self, provider: str | None = None) -> list[ModelManifest]:
        """All models of a provider, or of all of them."""
        state = self._now()
        names = state.names(PROVIDERS) if provider is None else [self._id(state, provider)]
        return [model for name in names for model in self._models(state, name).by_id.values()]

    def _provider(self, state: _State, name: str) -> ProviderManifest:
        def build(reading: Reading) -> ProviderManifest:
            reading.files(PROVIDERS, DEFAULTS)
            beneath: Inherited = self._made(state, (PROVIDERS, DEFAULTS), building.inherited)
            return building.provider(reading, name, beneath)

        return self._made(state, (PROVIDERS, name), build)

    def _models(self, state: _State, name: str) -> Models:
        return self._made(state, (MODELS, name), lambda reading: building.models(reading, name))

    def _id(self, state: _State, name: str) -> str:
        """The id that a name stands for."""
        if (PROVIDERS, name) in state.listing and name != DEFAULTS:
            return name
        if state.aliases is None:
            state.aliases = building.aliases(state.listing)
        id = state.aliases.get(name)
        if id is None:
            known = [*state.names(PROVIDERS), *state.aliases]
            raise ManifestError(f"unknown provider `{name}`{nearest(name, known, all_of=True)}")
        return id

    def _made(self, state: _State, key: Key, build: Callable[[Reading], T]) -> T:
        """What `build` makes of the files of this state; if they are broken and were not before, what it was then."""
        entry = state.entries.get(key)
        broken = None
        if entry is None:
            with self._lock:
                entry = state.entries.get(key)
                if entry is None:
                    reading = Reading(state.listing)
                    try:
                        self._good[key] = build(reading)
                    except ManifestError as error:
                        if key not in self._good:
                            raise
                        broken = error
                    entry = state.entries[key] = _Entry(self._good[key], reading.seen)
        if broken is not None:
            warnings.warn(f"{broken} (the last good version stays in use)", ManifestWarning, stacklevel=4)
        value: T = entry.value
        return value

    def _now(self) -> _State:
        """The present state: a new one if files have changed since the last look."""
        now = time.monotonic()
        state = self._state
        if state is not None and (not self._watch or now < self._due):
            return state
        with self._lock:
            state = self._state
            if state is not None and now < self._due:  # another thread was quicker
                return state
            listing = scan(tuple(self.folders))
            if state is None:
                state = _State(listing, 1)
            elif listing != state.listing:
                kept = {key: entry for key, entry in state.entries.items() if entry.holds(listing)}
                self._good = {key: value for key, value in self._good.items() if key in listing or key[0] == MODELS}
                state = _State(listing, state.revision + 1, kept)
            self._due = now + CHECK_EVERY
            self._state = state
            return state


def manifests(folder: str | Path | None = None) -> Manifests:
    """The `Manifests` of a folder (and of what the environment says), one for all who ask for the same."""
    folders = chain(folder)
    with _lock:
        if folders not in _shared:
            _shared[folders] = Manifests(folder)
        return _shared[folders]


_shared: dict[tuple[Path, ...], Manifests] = {}
_lock = threading.Lock()
