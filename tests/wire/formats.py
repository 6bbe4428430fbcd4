"""Formats for the tests of this folder: the packaged ones, and small ones made up on the spot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from ai_protocol_runtime.types.errors import ManifestError
from ai_protocol_runtime.wire import WireFormat

FOLDER = Path(__file__).parents[2] / "manifests" / "wire"
DATA = {path.stem: yaml.safe_load(path.read_text()) for path in sorted(FOLDER.glob("*.yaml"))}
NAMES = [name for name, data in DATA.items() if "service" not in data]
"""Of the formats for chats."""
SERVICES = [name for name in DATA if name not in NAMES]


def packaged(name: str) -> WireFormat:
    return _compiled(DATA[name])


def fault(path: tuple[str | int, ...], message: str) -> ManifestError:
    return ManifestError(message, key=".".join(str(p) for p in path))


def _compiled(data: dict[str, Any]) -> WireFormat:
    return WireFormat(data, fault)


PACKAGED = {name: packaged(name) for name in NAMES}

SKELETON = """
id: made-up
framings: [sse]
messages:
  - {at: messages, role: [user, assistant], shape: {role: $role, content: [$parts | part]}}
request: {model: $model~}
answer: {id: $id~, $with: $candidates | candidate}
error: {error: $error}
stream: {manner: events, dispatch: type, events: {}}
tables:
  part: {text: {type: text, text: $text}}
  message: {message: {content: [$parts | part]}}
  candidate: {candidate: {why: $finish_word~, $with: $message | message}}
"""


def made_up(**changes: str) -> WireFormat:
    """The skeleton with some of its keys replaced by YAML; `tables` are added to."""
    data = yaml.safe_load(SKELETON)
    for key, text in changes.items():
        value = yaml.safe_load(text)
        data[key] = {**data["tables"], **value} if key == "tables" else value
    return _compiled(data)
