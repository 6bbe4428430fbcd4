"""JSON Schemas for editors, made of the pydantic models: ``python -m ai_protocol_runtime.manifest.schema_files``.

They keep to draft 7, which is what the YAML language server knows.
"""

from __future__ import annotations

import json
from typing import Any

from .folders import packaged
from .schema import Inherited, ModelFile, ProviderManifest, Section, WireManifest

SCHEMAS: dict[str, type[Section]] = {
    "provider": ProviderManifest,
    "extension": ProviderManifest,
    "defaults": Inherited,
    "wire": WireManifest,
    "models": ModelFile,
}
"""The schema files, without ``.schema.json``. An extension is a provider that is laid over another."""


def json_schema(name: str) -> str:
    """The content of one of the `SCHEMAS`."""
    schema = _draft7(SCHEMAS[name].model_json_schema())
    if name == "extension":
        schema = {**_partial(schema), "required": ["id", "extends"]}
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", **schema}
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def write() -> None:
    """Write all of them beside the packaged manifests."""
    folder = packaged() / "schema"
    folder.mkdir(exist_ok=True)
    for name in SCHEMAS:
        (folder / f"{name}.schema.json").write_text(json_schema(name), "utf-8")


def _draft7(value: Any) -> Any:
    """The same in draft 7, where nothing may stand beside a reference, without titles and defaults that say nothing."""
    if isinstance(value, list):
        return [_draft7(item) for item in value]
    if isinstance(value, str):
        return value.replace("#/$defs/", "#/definitions/")
    if not isinstance(value, dict):
        return value
    out: dict[str, Any] = {}
    for key, item in value.items():
        if key in ("properties", "$defs"):
            out["definitions" if key == "$defs" else key] = {name: _draft7(part) for name, part in item.items()}
        elif not (key == "title" or (key == "default" and not isinstance(item, bool | str))):
            out[key] = _draft7(item)
    if "$ref" in out and len(out) > 1:
        out["allOf"] = [{"$ref": out.pop("$ref")}]
    if "patternProperties" in out:
        out["additionalProperties"] = False
    return out


def _partial(value: Any) -> Any:
    """The same with nothing that must be there, and null for what is to be taken away from a map of named things."""
    if isinstance(value, list):
        return [_partial(item) for item in value]
    if not isinstance(value, dict):
        return value
    out: dict[str, Any] = {}
    for key, item in value.items():
        if key == "patternProperties":
            out[key] = {name: {"anyOf": [_partial(part), {"type": "null"}]} for name, part in item.items()}
        elif key == "properties":
            out[key] = {name: _partial(part) for name, part in item.items()}
        elif key != "required" or not isinstance(item, list):
            out[key] = _partial(item)
    return out


if __name__ == "__main__":
    write()
