"""Manifests against their schema: what is wrong is named by file, line and key, with the nearest spelling."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_protocol_runtime.manifest import schema_files, validate_files
from ai_protocol_runtime.manifest.document import Document
from ai_protocol_runtime.manifest.folders import KINDS, packaged
from ai_protocol_runtime.manifest.schema import ModelFile, ProviderManifest, Section, WireManifest
from ai_protocol_runtime.manifest.validation import checked, problems
from ai_protocol_runtime.types.errors import ManifestError

from .examples import ACME, DEFAULTS, MODELS, TALK, Folder


def said(kind: type[Section], text: str) -> list[str]:
    return [f"{error.line}: {error.message}" for error in problems(kind, Document.parse(text, "f.yaml"))]


def changed(old: str, new: str) -> list[str]:
    assert old in ACME
    return [line.replace("f.yaml:", "") for line in said(ProviderManifest, ACME.replace(old, new))]


def test_what_is_right() -> None:
    provider = checked(ProviderManifest, Document.parse(ACME, "f.yaml"))
    assert provider.docs.checked.isoformat() == "2026-01-31"
    assert provider.headers == {"acme-version": "2023-06-01"}
    assert [(refusal.path, refusal.when) for refusal in provider.protocols["talk"].refuse] == [
        ("seed", {}),
        ("top_k", {"tools": None}),
    ]
    assert provider.errors.rules[0].status == [418]
    entry = checked(ModelFile, Document.parse(MODELS, "f.yaml")).models
    assert entry["anvil-1"].reasoning is not None
    assert entry["anvil-1"].reasoning.efforts == ["off", "low"]
    assert entry["anvil-2"].reasoning is not None
    assert said(WireManifest, TALK) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("base_url:", "base_ulr:", 5, "unknown key `base_ulr`, did you mean `base_url`?"),
        ("{path: top_k, when:", "{path: top_k, wen:", 13, "unknown key `wen`, did you mean `when`?"),
        ("{status: 418,", "{satus: 418,", 18, "unknown key `satus`, did you mean `status`?"),
        ("path: /v1/talk", "zzz: /v1/talk", 9, "`protocols.talk.path` is missing"),
        ("name: Acme\n", "", 1, "`name` is missing"),
        (
            "checked: 2026-01-31",
            "checked: 2026-02-30",
            4,
            'must be a date, as 2026-01-31, not "2026-02-30"',
        ),
        ("[ACME_API_KEY]", "ACME_API_KEY", 6, '`credentials.env` must be a list, not "ACME_API_KEY"'),
        ("[ACME_API_KEY]", "[acme]", 6, "must be the name of an environment variable, in capitals"),
        ("https://api", "ftp://api", 5, "an address that begins with http:// or https://"),
        ("idle: 30", "idle: 0", 20, "`timeouts.idle` must be more than 0, not 0"),
        ("idle: 30", 'idle: "30"', 20, '`timeouts.idle` must be a number, not "30"'),
        ("idle: 30", "idle: []", 20, "not an empty list"),
        ("2023-06-01}", "20230601}", 7, "must be a text, not 20230601; put it in quotes"),
        ("shout:", "1:", 14, "the key `1` must be text; put it in quotes"),
        ("overloaded", "overlaoded", 18, "did you mean `overloaded`?"),
        ("418", "6xx", 18, "must be a whole number or one of 4xx, 5xx"),
        ("{status: 418,", '{message: "(",', 18, "is no regular expression"),
        ("status: 418, ", "", 18, "needs at least one of `status`, `code`, `type` and `message`"),
        ("tokens_limit:", "token_limit:", 19, "did you mean `tokens_limit`?"),
        ("- seed", "- a..b", 12, "must be a path such as a.b[].c"),
        ("https://api.", "https://{region}.", 5, "no variable `region`"),
        ("/v1/shout", '"/v1/{region}"', 14, "no variable `region`"),
        ("{env: [ACME_API_KEY]}", "{header: x-key}", 6, "needs an environment variable"),
        ("name: Acme", "name: Acme\ndefault_protocol: whisper", 3, "is none of the protocols: talk, shout"),
        ("name: Acme", "name: Acme\nvariables: {a: {description: d}}", 3, "`variables.a`: needs `env` or `default`"),
        ("name: Acme", "name: Acme\nprotocols: {}", 9, "`protocols` stands twice"),
    ],
)
def test_what_is_wrong(old: str, new: str, line: int, words: str) -> None:
    text = ACME.replace(old, new)
    assert text != ACME
    try:
        found = said(ProviderManifest, text)
    except ManifestError as error:
        found = [f"{error.line}: {error.message}"]
    assert any(message.startswith(f"{line}: ") and words in message for message in found), found


def test_all_errors_are_told_in_order() -> None:
    text = ACME.replace("name:", "nmae:").replace("idle: 30", "idle: x").replace("path: /v1/talk", "path: talk")
    assert [line.split(":")[0] for line in said(ProviderManifest, text)] == ["1", "2", "10", "20"]


def test_a_key_may_be_called_like_a_field() -> None:
    """The nearest spelling is looked for among the keys of that place, however the keys around it are called."""
    text = ACME + "variables: {env: {env: [X], descripton: d}}\n"
    assert any("did you mean `description`?" in line for line in said(ProviderManifest, text))


def test_the_model_in_a_path_needs_no_variable() -> None:
    assert changed("/v1/shout", '"/v1/{model}/shout"') == []


def test_files_are_told_by_folder_or_content(own: Folder, base: Folder) -> None:
    assert validate_files(sorted(base.path.rglob("*.yaml")), own.path) == []
    own.write("providers/mine", "id: mine\nextends: acme\nprotocols: {talk: {pth: /x}}")
    own.write("providers/other", "id: another\nextends: nobody")
    loose = own.write("loose", MODELS.replace("anvil-2:", "anvil 2:"))
    odd = own.write("odd", "a: 1")
    twice = own.write("wire/talk", TALK + "id: x")
    found = validate_files([*sorted((own.path / "providers").iterdir()), loose, odd, twice], own.path)
    assert [(Path(error.file or "").stem, error.line, error.key) for error in found] == [
        ("mine", 3, "protocols.talk.pth"),
        ("other", 2, "extends"),
        ("loose", 11, "models.anvil 2"),
        ("loose", 1, "provider"),
        ("odd", 1, None),
        ("talk", 5, None),
    ]


def test_an_override_is_checked_over_the_file_it_overrides(own: Folder) -> None:
    file = own.write("providers/acme", "id: acme\nextends: acme\nbase_url: https://elsewhere.test")
    assert validate_files([file], own.path) == []
    assert validate_files([file]) == []
    file = own.write("providers/acme", "id: acme\nextends: acme\ntimeouts: {ilde: 3}")
    assert [error.line for error in validate_files([file], own.path)] == [3]


def test_every_packaged_file_is_right() -> None:
    files = [file for kind in KINDS for file in sorted((packaged() / kind).glob("*.y*ml"))]
    assert files
    assert [str(error) for error in validate_files(files)] == []


def test_every_packaged_file_names_its_schema() -> None:
    kinds = {"providers": {"provider", "extension", "defaults"}, "wire": {"wire"}, "models": {"models"}}
    wrong = [
        file
        for kind, names in kinds.items()
        for file in sorted((packaged() / kind).glob("*.y*ml"))
        if file.read_text("utf-8").partition("\n")[0]
        not in {f"# yaml-language-server: $schema=../schema/{name}.schema.json" for name in names}
    ]
    assert wrong == []


@pytest.mark.parametrize("name", schema_files.SCHEMAS)
def test_schema_files_are_current(name: str) -> None:
    """``python -m ai_protocol_runtime.manifest.schema_files`` writes them."""
    file = packaged() / "schema" / f"{name}.schema.json"
    assert file.read_text("utf-8") == schema_files.json_schema(name)


def editor(name: str, text: str) -> list[str]:
    """What a YAML editor would say."""
    schema = json.loads(schema_files.json_schema(name))
    jsonschema.Draft7Validator.check_schema(schema)
    checker = jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())
    return [error.message for error in checker.iter_errors(Document.parse(text, "f.yaml").data)]


@pytest.mark.parametrize(
    ("name", "text"), [("provider", ACME), ("defaults", DEFAULTS), ("wire", TALK), ("models", MODELS)]
)
def test_editors_take_what_is_right_and_no_more(name: str, text: str) -> None:
    assert editor(name, text) == []
    assert any("'nonsense' was unexpected" in line for line in editor(name, text + "nonsense: 1\n"))


def test_editors_take_extensions() -> None:
    text = "id: mine\nextends: acme\nprotocols: {talk: {refuse: [x]}}"
    assert editor("extension", text) == []
    assert editor("provider", text) != []
    assert editor("extension", "id: mine") != []


def test_editors_find_what_is_wrong() -> None:
    assert editor("provider", ACME.replace("/v1/talk", "v1/talk"))
    assert editor("provider", ACME.replace("ACME_API_KEY", "acme"))
    assert editor("provider", ACME.replace("overloaded", "overlaoded"))
    assert editor("models", MODELS.replace("[text, image]", "[text, smell]"))


def test_packaged_files_please_editors() -> None:
    names = {"providers": "provider", "wire": "wire", "models": "models"}
    wrong = {}
    for kind, name in names.items():
        for file in sorted((packaged() / kind).glob("*.y*ml")):
            text = file.read_text("utf-8")
            name = text.partition("\n")[0].rpartition("/")[2].partition(".")[0] or name
            if found := editor(name, text):
                wrong[file.name] = found
    assert wrong == {}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3),
    max_leaves=8,
)
KEYS = [(kind, key) for kind in (ProviderManifest, ModelFile, WireManifest) for key in kind.model_fields]


@given(st.sampled_from(KEYS), json_values)
def test_any_value_anywhere_is_taken_or_refused_in_words(place: tuple[type[Section], str], value: Any) -> None:
    """No value makes the check itself fail, and every error has a place."""
    kind, key = place
    text = {ProviderManifest: ACME, ModelFile: MODELS, WireManifest: TALK}[kind]
    document = Document.parse(text, "f.yaml")
    deep = {"protocols": {"talk": {"path": "/", "refuse": value}}}
    for data in ({**document.data, key: value}, {**document.data, **deep}):
        for error in problems(kind, Document("f.yaml", data, text)):
            assert error.message
            assert error.line is not None
