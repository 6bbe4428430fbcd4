"""How one provider departs from a wire format, applied to a body that is otherwise ready."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ai_protocol_runtime.manifest.schema import Endpoint, Refusal
from ai_protocol_runtime.types import Loss

from .paths import ABSENT, alter, find, steps

Edit = Callable[[Any], Any]


def apply_quirks(endpoint: Endpoint, body: dict[str, Any], losses: list[Loss], who: str) -> dict[str, Any]:
    """The body as the provider `who` takes it; what it refuses is added to `losses`. `body` itself is not changed."""
    for path, value in endpoint.defaults.items():
        body = alter(body, steps(path), _default(value), create=True)
    for path, words in endpoint.replace.items():
        body = alter(body, steps(path), _replacement(words))
    for refusal in endpoint.refuse:
        if steps(refusal.path)[0] in body:
            body = _refused(refusal, body, losses, who)
    for path, key in endpoint.rename.items():
        *parent, old = steps(path)
        body = alter(body, tuple(parent), _rename(old, key))
    return body


def _default(default: Any) -> Edit:
    return lambda value: default if value is ABSENT else value


def _replacement(words: dict[str, str]) -> Edit:
    return lambda value: words.get(value, value) if isinstance(value, str) else value


def _rename(old: str, new: str) -> Edit:
    def edit(parent: Any) -> Any:
        if not isinstance(parent, dict) or old not in parent:
            return parent
        return {new if key == old else key: value for key, value in parent.items()}

    return edit


def _refused(refusal: Refusal, body: dict[str, Any], losses: list[Loss], who: str) -> dict[str, Any]:
    if not all(_holds(body, field, wanted) for field, wanted in refusal.when.items()):
        return body
    together = f" together with {', '.join(refusal.when)}" if refusal.when else ""

    def drop(value: Any) -> Any:
        losses.append(Loss(refusal.path, value, f"{who} does not take it{together}"))
        return ABSENT

    changed: dict[str, Any] = alter(body, steps(refusal.path), drop)
    return changed


def _holds(body: dict[str, Any], path: str, wanted: Any) -> bool:
    found = list(find(body, steps(path)))
    if wanted is None:
        return bool(found)
    return any(value in wanted if isinstance(wanted, list) else value == wanted for value in found)
