"""Blocks, as every adapter has them."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest

from ai_protocol_integrations._blocks import from_block, to_block
from ai_protocol_runtime.types import Media

SAID: dict[str, Any] = {"citable": False, "cache": {"type": "ephemeral"}, "extra": {"wire": "w"}}


@pytest.mark.parametrize("kind", ["image", "audio", "video", "file"])
@pytest.mark.parametrize("left_out", [None, *(field.name for field in fields(Media) if field.name != "kind")])
def test_nothing_of_media_gets_lost(kind: str, left_out: str | None) -> None:
    said = {field.name: SAID.get(field.name, f"its {field.name}") for field in fields(Media)}
    media = Media(**{**said, "kind": kind} | ({left_out: None} if left_out else {}))
    assert from_block(json.loads(json.dumps(to_block(media)))) == media
