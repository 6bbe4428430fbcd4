"""Files that change while the program runs."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Callable

import pytest

from ai_protocol_runtime.manifest import Manifests, ManifestWarning, loader
from ai_protocol_runtime.types.errors import ManifestError

from .examples import ACME, MODELS, TALK, Folder

Open = Callable[..., Manifests]


def test_an_edit_is_seen(base: Folder, open_manifests: Open) -> None:
    seen = open_manifests()
    before, wire, revision = seen.provider("acme"), seen.wire("talk"), seen.revision
    base.edit("providers/acme", "name: Acme", "name: Ajax")
    assert seen.revision == revision + 1
    assert seen.provider("roadrunner").name == "Ajax"
    assert before.name == "Acme"
    assert seen.wire("talk") is wire
    assert seen.wire("talk").document is wire.document
    assert seen.revision == revision + 1


def test_each_kind_is_seen(base: Folder, open_manifests: Open) -> None:
    seen = open_manifests()
    assert seen.model("acme", "anvil-2") is not None
    wire = seen.wire("talk")
    base.edit("models/acme", "anvil-2", "anvil-3")
    base.edit("wire/talk", "$id", "$id~")
    assert seen.model("acme", "anvil-2") is None
    assert seen.wire("talk").document is not wire.document
    assert seen.wire("talk").document.data["answer"] == {"id": "$id~"}


def test_files_come_and_go(base: Folder, own: Folder, open_manifests: Open) -> None:
    seen = open_manifests(own.path)
    assert seen.provider("acme").name == "Acme"
    own.write("providers/acme", ACME.replace("name: Acme", "name: Mine").replace("roadrunner", "coyote"))
    own.write("providers/zenith", "id: zenith\nextends: acme")
    assert (seen.provider("acme").name, seen.provider("zenith").name) == ("Mine", "Mine")
    assert seen.provider("coyote").name == "Mine"
    own.remove("providers/acme")
    assert (seen.provider("acme").name, seen.provider("zenith").name) == ("Acme", "Acme")
    base.remove("providers/acme")
    with pytest.raises(ManifestError, match="unknown provider `acme`"):
        seen.provider("acme")
    base.write("providers/acme", ACME)
    assert seen.provider("acme-ai").name == "Acme"


def test_a_folder_that_is_made_later(base: Folder, own: Folder, open_manifests: Open) -> None:
    seen = open_manifests(own.path)
    assert seen.wires() == ["talk"]
    own.write("wire/shout", TALK.replace("id: talk", "id: shout"))
    assert seen.wires() == ["shout", "talk"]


def test_what_others_rest_on(base: Folder, own: Folder, open_manifests: Open) -> None:
    """A change of a file beneath is one of all above."""
    own.write("providers/mine", "id: mine\nextends: acme")
    own.write("models/mine", MODELS.replace("provider: acme", "provider: mine").replace("anvil", "saw"))
    seen = open_manifests(own.path)
    assert (seen.provider("mine").name, seen.provider("mine").timeouts.connect) == ("Acme", 5)
    assert seen.model("mine", "anvil-2") is not None
    base.edit("providers/_defaults", "connect: 5", "connect: 6")
    base.edit("providers/acme", "name: Acme", "name: Ajax")
    base.edit("models/acme", "anvil-2", "anvil-3")
    assert (seen.provider("mine").name, seen.provider("mine").timeouts.connect) == ("Ajax", 6)
    assert seen.model("mine", "anvil-2") is None
    own.write("providers/mine", "id: mine\nextends: acme\nname: Mine")
    own.remove("models/mine")
    assert seen.model("mine", "anvil-3") is not None
    assert seen.model("mine", "saw-1") is None


@pytest.mark.parametrize("broken", ["id: acme\nname: [", ACME.replace("name: Acme", "nmae: Acme"), "id: other", ""])
def test_a_broken_edit_keeps_the_last_good_version(base: Folder, open_manifests: Open, broken: str) -> None:
    seen = open_manifests()
    good = seen.provider("acme")
    base.write("providers/acme", broken)
    with pytest.warns(ManifestWarning, match=r"acme\.yaml:\d+: .*the last good version stays") as caught:
        assert seen.provider("acme") is good
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert seen.provider("acme") is good  # and no further warning, or it would be an error
    base.write("wire/other", TALK.replace("id: talk", "id: other"))
    assert seen.wires() == ["other", "talk"]
    assert seen.provider("acme") is good
    base.write("providers/acme", broken + "\n")
    with pytest.warns(ManifestWarning):
        assert seen.provider("acme") is good
    base.write("providers/acme", ACME.replace("name: Acme", "name: Ajax"))
    assert seen.provider("acme").name == "Ajax"


def test_broken_wires_models_and_defaults(base: Folder, open_manifests: Open) -> None:
    seen = open_manifests()
    good = seen.wire("talk"), seen.model("acme", "anvil-1"), seen.provider("acme")
    for name in ("wire/talk", "models/acme", "providers/_defaults"):
        base.write(name, "x: [")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(2):
            assert (seen.wire("talk"), seen.model("acme", "anvil-1"), seen.provider("acme")) == good
    assert [warning.category for warning in caught] == [ManifestWarning] * 3


def test_what_never_was_good_is_an_error_each_time(base: Folder, open_manifests: Open) -> None:
    base.write("providers/acme", "id: [")
    seen = open_manifests()
    for _ in range(2):
        with pytest.raises(ManifestError, match=r"acme\.yaml:\d"):
            seen.provider("acme")
    base.write("providers/acme", ACME)
    assert seen.provider("acme").name == "Acme"


def test_what_was_removed_does_not_come_back_by_a_broken_file(base: Folder, open_manifests: Open) -> None:
    seen = open_manifests()
    seen.provider("acme")
    base.remove("providers/acme")
    assert seen.providers() == []
    base.write("providers/acme", "id: [")
    with pytest.raises(ManifestError):
        seen.provider("acme")


def test_a_warning_that_is_an_error_is_raised_once(base: Folder, open_manifests: Open) -> None:
    seen = open_manifests()
    good = seen.provider("acme")
    base.write("providers/acme", "id: [")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ManifestWarning):
            seen.provider("acme")
        assert seen.provider("acme") is good


def test_looks_are_rare(base: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    seen = Manifests()
    assert seen.provider("acme").name == "Acme"
    base.edit("providers/acme", "name: Acme", "name: Ajax")
    now[0] += loader.CHECK_EVERY * 0.9
    assert seen.provider("acme").name == "Acme"
    now[0] += loader.CHECK_EVERY * 0.2
    assert seen.provider("acme").name == "Ajax"


def test_without_watching_nothing_changes(base: Folder, open_manifests: Open) -> None:
    seen = open_manifests(watch=False)
    assert seen.provider("acme").name == "Acme"
    base.edit("providers/acme", "name: Acme", "name: Ajax")
    assert seen.provider("acme").name == "Acme"
    assert seen.revision == 1


def test_many_threads(base: Folder, own: Folder, open_manifests: Open) -> None:
    """All versions that are seen are whole, and none is older than one seen before by the same thread."""
    own.write("providers/mine", "id: mine\nextends: acme")
    seen = open_manifests(own.path)
    stop = threading.Event()
    failures: list[object] = []

    def look() -> None:
        last = 0
        while not stop.is_set():
            try:
                provider, alias = seen.provider("mine"), seen.provider("roadrunner")
                number = int(provider.name.removeprefix("Acme ") or 0) if provider.name != "Acme" else 0
                if number < last or provider.base_url != f"https://api.acme.test/{number}".removesuffix("/0"):
                    failures.append((last, provider.name, provider.base_url))
                last = number
                alias.protocols["talk"], seen.wire("talk").document.data, seen.models()
            except Exception as error:
                failures.append(error)
                return

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for number in range(1, 30):
        text = ACME.replace("name: Acme", f"name: Acme {number}").replace("api.acme.test", f"api.acme.test/{number}")
        fresh = base.write("spare", text)
        fresh.rename(base.path / "providers" / "acme.yaml")
        time.sleep(0.003)
    deadline = time.monotonic() + 5
    while seen.provider("mine").name != "Acme 29" and time.monotonic() < deadline:
        time.sleep(0.001)
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert seen.provider("acme").base_url == "https://api.acme.test/29"
