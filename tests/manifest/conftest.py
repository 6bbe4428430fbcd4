"""Folders of manifests of the test's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ai_protocol_runtime.manifest import Manifests, folders, loader

from .examples import ACME, DEFAULTS, MODELS, TALK, Folder


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """What stands for the packaged folder, with one file of each kind; nobody else's folders are seen."""
    folder = Folder(tmp_path / "packaged")
    folder.write("providers/acme", ACME)
    folder.write("providers/_defaults", DEFAULTS)
    folder.write("wire/talk", TALK)
    folder.write("models/acme", MODELS)
    monkeypatch.setattr(folders, "packaged", lambda: folder.path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv(folders.ENV, raising=False)
    return folder


@pytest.fixture
def own(base: Folder, tmp_path: Path) -> Folder:
    """A person's own folder, read before the packaged one."""
    path = tmp_path / "own"
    path.mkdir()
    return Folder(path)


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every access looks for changed files."""
    monkeypatch.setattr(loader, "CHECK_EVERY", 0.0)


@pytest.fixture
def open_manifests(base: Folder, eager: None) -> Callable[..., Manifests]:
    return Manifests
