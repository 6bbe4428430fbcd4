"""Which manifests are seen: folders before folders, overrides, names, models."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ai_protocol_runtime.manifest import Manifests, building, folders, manifests
from ai_protocol_runtime.manifest.document import Document
from ai_protocol_runtime.types.errors import ManifestError

from .examples import ACME, MODELS, TALK, Folder

Open = Callable[..., Manifests]


def test_names(base: Folder) -> None:
    seen = Manifests()
    assert seen.providers() == ["acme"]
    assert seen.wires() == ["talk"]
    assert seen.provider("acme") is seen.provider("roadrunner")
    assert seen.wire("talk") is seen.wire("talk")
    assert seen.wire("talk").document.data["answer"] == {"id": "$id"}


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda seen: seen.provider("acmee"), "unknown provider `acmee`, did you mean `acme`?"),
        (lambda seen: seen.provider("roadruner"), "did you mean `roadrunner`?"),
        (lambda seen: seen.provider("xyzzy"), "known are acme, acme-ai, roadrunner"),
        (lambda seen: seen.provider("_defaults"), "unknown provider"),
        (lambda seen: seen.provider("../acme"), "unknown provider"),
        (lambda seen: seen.provider(""), "unknown provider"),
        (lambda seen: seen.wire("tlak"), "unknown wire format `tlak`, did you mean `talk`?"),
        (lambda seen: seen.model("acmee", "anvil-1"), "unknown provider"),
        (lambda seen: seen.models("acmee"), "unknown provider"),
    ],
)
def test_unknown_names(base: Folder, ask: Callable[[Manifests], object], words: str) -> None:
    with pytest.raises(ManifestError) as caught:
        ask(Manifests())
    assert words in str(caught.value)


def test_what_every_provider_inherits(base: Folder) -> None:
    provider = Manifests().provider("acme")
    assert provider.errors.message == ["oops", "error.message"]
    assert [rule.error for rule in provider.errors.rules] == ["overloaded", "invalid_request"]
    assert provider.request_id_headers == ["x-request-id"]
    assert provider.rate_limit_headers == {"tokens_limit": "acme-tokens", "requests_limit": "x-requests"}
    assert (provider.timeouts.idle, provider.timeouts.connect, provider.timeouts.total) == (30, 5, None)


def test_nothing_is_inherited_where_there_is_nothing(base: Folder) -> None:
    base.remove("providers/_defaults")
    assert Manifests().provider("acme").errors.message == ["oops"]


def test_only_what_is_asked_for_is_read(base: Folder) -> None:
    base.write("providers/broken", "id: [")
    base.write("wire/broken", "id: [")
    base.write("models/broken", "id: [")
    seen = Manifests()
    assert seen.providers() == ["acme", "broken"]
    assert seen.provider("acme-ai").id == "acme"
    assert seen.model("acme", "anvil-1") is not None
    with pytest.raises(ManifestError, match=r"broken\.yaml:"):
        seen.provider("broken")


def test_the_name_of_the_file_is_the_id(base: Folder) -> None:
    base.write("providers/zenith", ACME)
    base.write("wire/shout", TALK)
    base.write("models/zenith", MODELS)
    seen = Manifests()
    for ask in (lambda: seen.provider("zenith"), lambda: seen.wire("shout"), lambda: seen.model("zenith", "x")):
        with pytest.raises(ManifestError, match=r"\.yaml:1: the file is called (zenith|shout)"):
            ask()


def test_chain_of_folders(base: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["argument", "env1", "env2", "home/.config/ai-protocol/manifests"]
    for name in names:
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setenv(folders.ENV, os.pathsep.join(str(tmp_path / name) for name in names[1:3]))
    seen = Manifests(tmp_path / "argument")
    assert seen.folders == [*(tmp_path / name for name in names), base.path]
    for name in reversed(names):
        Folder(tmp_path / name).write("providers/acme", ACME.replace("name: Acme", f"name: from {name}"))
        assert Manifests(tmp_path / "argument").provider("acme").name == f"from {name}"


def test_a_relative_folder_stays_where_it_was(own: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own.write("wire/mine", TALK.replace("id: talk", "id: mine"))
    monkeypatch.chdir(own.path.parent)
    seen = Manifests("own")
    monkeypatch.chdir("/")
    assert seen.wires() == ["mine", "talk"]


def test_a_folder_that_does_not_exist(base: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ManifestError, match=r"no folder .*nowhere, which the argument names"):
        Manifests(tmp_path / "nowhere")
    monkeypatch.setenv(folders.ENV, "/no/such/place")
    with pytest.raises(ManifestError, match="which AI_PROTOCOL_MANIFESTS names"):
        Manifests()


def test_a_file_replaces_the_one_behind_it(own: Folder) -> None:
    own.write("providers/acme", ACME.replace("idle: 30", "total: 9").replace("  shout: {path: /v1/shout}\n", ""))
    provider = Manifests(own.path).provider("acme")
    assert list(provider.protocols) == ["talk"]
    assert (provider.timeouts.idle, provider.timeouts.total) == (60, 9)


def test_a_file_may_be_laid_over_the_one_behind_it(own: Folder) -> None:
    own.write(
        "providers/acme",
        """\
        id: acme
        extends: acme
        base_url: https://proxy.test
        protocols: {shout: {headers: {x: y}}, whisper: {path: /w}}
        errors: {rules: [{status: 500, error: conflict}]}
        """,
    )
    provider = Manifests(own.path).provider("roadrunner")
    assert provider.base_url == "https://proxy.test"
    assert provider.credentials.env == ["ACME_API_KEY"]
    assert list(provider.protocols) == ["talk", "shout", "whisper"]
    assert (provider.protocols["shout"].path, provider.protocols["shout"].headers) == ("/v1/shout", {"x": "y"})
    assert [rule.error for rule in provider.errors.rules] == ["conflict", "invalid_request"]


def test_null_takes_away_what_is_below(own: Folder) -> None:
    own.write("providers/mine", "id: mine\nextends: acme\nheaders: null\nprotocols: {talk: null, shout: {path: /s}}")
    provider = Manifests(own.path).provider("mine")
    assert (list(provider.protocols), provider.headers) == (["shout"], {})


def test_a_provider_may_be_laid_over_another(own: Folder) -> None:
    own.write("providers/mine", "id: mine\nextends: acme\nname: Mine\ncredentials: {env: [MINE]}")
    own.write("providers/mine2", "id: mine2\nextends: mine\naliases: [m2]")
    own.write("models/mine", MODELS.replace("provider: acme", "provider: mine").replace("anvil-2", "hammer"))
    seen = Manifests(own.path)
    assert (seen.provider("mine").name, seen.provider("m2").credentials.env) == ("Mine", ["MINE"])
    assert (seen.provider("acme-ai").id, seen.provider("mine").aliases) == ("acme", [])
    assert [(model.provider, model.id) for model in seen.models("m2")] == [
        ("mine2", "anvil-1"),
        ("mine2", "anvil-2"),
        ("mine2", "hammer"),
    ]
    assert len(seen.models()) == 2 + 3 + 3


def test_errors_of_an_extension_name_the_file_they_are_in(own: Folder, base: Folder) -> None:
    own.write("providers/mine", "id: mine\nextends: acme\nprotocols: {talk: {pth: /x}}")
    with pytest.raises(ManifestError, match=r"own/providers/mine.yaml:3: unknown key `pth`, did you mean `path`"):
        Manifests(own.path).provider("mine")
    own.write("providers/mine", "id: mine\nextends: acme")
    base.edit("providers/acme", "idle", "ilde")
    with pytest.raises(ManifestError, match=r"packaged/providers/acme.yaml:20: unknown key `ilde`"):
        Manifests(own.path).provider("mine")


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ({"mine": "id: mine\nextends: acem"}, "mine.yaml:2: there is no other provider `acem`, did you mean `acme`?"),
        ({"mine": "id: mine\nextends: mine"}, "mine.yaml:2: there is no other provider `mine`"),
        ({"mine": "id: mine\nextends: [acme]"}, "mine.yaml:2: `extends` must be a text, not a list"),
        ({"mine": "extends: acme"}, "mine.yaml:1: `id` is missing"),
        ({"mine": "id: mine\nextends: b", "b": "id: b\nextends: mine"}, "extends this provider in its turn"),
    ],
)
def test_broken_extensions(own: Folder, texts: dict[str, str], words: str) -> None:
    for name, text in texts.items():
        own.write(f"providers/{name}", text)
    with pytest.raises(ManifestError) as caught:
        Manifests(own.path).provider("mine")
    assert words in str(caught.value)


def test_models(base: Folder) -> None:
    seen = Manifests()
    model = seen.model("acme", "anvil-1")
    assert model is not None
    assert (model.id, model.provider, model.inputs, model.tool_calling) == ("anvil-1", "acme", ["text", "image"], True)
    assert model.prices is not None
    assert (model.prices.input, model.prices.cache_read) == (1.0, None)
    assert seen.model("roadrunner", "anvil") is model
    assert seen.model("acme", "anvil-1-2026") is model
    assert seen.model("acme", "xanvil-1-2026") is None
    assert seen.model("acme", "saw") is None
    assert [one.id for one in seen.models()] == ["anvil-1", "anvil-2"]


def test_the_longest_pattern_that_fits_counts(base: Folder) -> None:
    base.edit("models/acme", "reasoning: true", "aliases: [anvil-1-2026.*, anvil-1-x], reasoning: true")
    seen = Manifests()
    names = {"anvil-1-2026.1": "anvil-2", "anvil-1-2026x1": "anvil-1", "anvil-1-x": "anvil-2", "anvil-1": "anvil-1"}
    assert {name: getattr(seen.model("acme", name), "id", None) for name in names} == names


def test_own_models_are_added_one_by_one(own: Folder) -> None:
    own.write(
        "models/acme",
        """\
        provider: acme
        docs: {checked: 2026-01-31, pages: [https://acme.test]}
        models: {anvil-1: {max_output: 7}, anvil-3: {}}
        """,
    )
    seen = Manifests(own.path)
    assert [model.id for model in seen.models("acme")] == ["anvil-1", "anvil-2", "anvil-3"]
    changed = seen.model("acme", "anvil-1")
    assert changed is not None
    assert (changed.max_output, changed.context_window) == (7, None)


def test_a_provider_without_models(base: Folder) -> None:
    base.write("providers/zenith", ACME.replace("id: acme", "id: zenith"))
    seen = Manifests()
    assert seen.models("zenith") == []
    assert seen.model("zenith", "x") is None


def test_an_id_counts_before_an_alias(base: Folder) -> None:
    base.write("providers/roadrunner", ACME.replace("id: acme", "id: roadrunner"))
    seen = Manifests()
    assert [seen.provider(name).id for name in ("roadrunner", "acme", "acme-ai")] == ["roadrunner", "acme", "acme"]


def test_what_is_no_manifest_is_not_seen(base: Folder) -> None:
    (base.path / "providers" / "notes.txt").write_text("")
    (base.path / "providers" / ".hidden.yaml").write_text("")
    (base.path / "providers" / "gone.yaml").symlink_to("/nowhere/at/all.yaml")
    (base.path / "providers" / "short.yml").write_text(ACME.replace("id: acme", "id: short"))
    seen = Manifests()
    assert seen.providers() == ["acme", "short"]
    assert seen.provider("short").id == "short"


def test_one_for_all_who_ask_for_the_same(own: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    assert manifests(own.path) is manifests(str(own.path))
    assert manifests(own.path) is not manifests()
    before = manifests()
    monkeypatch.setenv(folders.ENV, str(own.path))
    assert manifests() is not before


def test_files_are_read_once(base: Folder, monkeypatch: pytest.MonkeyPatch, open_manifests: Open) -> None:
    reads, read = [], building.read

    def counted(file: folders.File) -> Document:
        reads.append(file.path.name)
        return read(file)

    monkeypatch.setattr(building, "read", counted)
    seen = open_manifests()
    for _ in range(3):
        seen.provider("acme")
        seen.wire("talk")
    assert sorted(reads) == ["_defaults.yaml", "acme.yaml", "talk.yaml"]
