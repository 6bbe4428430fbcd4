"""Where manifests are: a chain of folders, each with one folder for each kind. The first that has a file wins."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import ai_protocol_runtime
from ai_protocol_runtime.types.errors import ManifestError

ENV = "AI_PROTOCOL_MANIFESTS"
"""The environment variable that names folders, separated as in PATH."""

PROVIDERS, WIRE, MODELS = KINDS = ("providers", "wire", "models")
"""The kinds of manifest, by the names of their folders."""

_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was at one moment: another `stamp` means another content."""

    path: Path
    stamp: tuple[int, int, int]


Key = tuple[str, str]
"""A kind and a name: that of the file, without its suffix."""

Listing = dict[Key, tuple[File, ...]]
"""The files of each name, the first folder's first."""


def chain(folder: str | Path | None = None) -> tuple[Path, ...]:
    """All folders that are looked into: `folder`, those of the environment, a person's own, and the packaged one.

    Raises `ManifestError` for a folder that is named and does not exist.
    """
    named = [] if folder is None else [(Path(folder), "the argument")]
    named += [(Path(name), ENV) for name in os.environ.get(ENV, "").split(os.pathsep) if name]
    for path, source in named:
        if not path.expanduser().is_dir():
            raise ManifestError(f"there is no folder {path}, which {source} names")
    own = Path("~/.config/ai-protocol/manifests")
    paths = (*(path for path, _ in named), own, packaged())
    return tuple(dict.fromkeys(Path(os.path.abspath(path.expanduser())) for path in paths))


@cache
def packaged() -> Path:
    """The folder of the manifests that come with the package: within it, or beside its sources."""
    package = Path(str(ai_protocol_runtime.__file__)).parent
    inside = package / "manifests"
    return inside if inside.is_dir() else package.parents[1] / "manifests"


def scan(folders: tuple[Path, ...]) -> Listing:
    """Every manifest file there is at this moment. Nothing is read."""
    found: dict[Key, list[File]] = {}
    for folder in folders:
        for kind in KINDS:
            for path, stamp in _files(folder / kind):
                found.setdefault((kind, path.stem), []).append(File(path, stamp))
    return {key: tuple(files) for key, files in found.items()}


def _files(folder: Path) -> list[tuple[Path, tuple[int, int, int]]]:
    files = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(_SUFFIXES) and not entry.name.startswith("."):
                    try:
                        now = entry.stat()
                    except OSError:  # removed this very moment, or a link that leads nowhere
                        continue
                    files.append((Path(entry.path), (now.st_mtime_ns, now.st_size, now.st_ino)))
    except OSError:
        return []
    return sorted(files)
