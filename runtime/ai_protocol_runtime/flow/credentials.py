"""Where a key comes from, and the header it travels in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from pydantic import SecretStr

from ai_protocol_runtime.manifest.schema import Credentials
from ai_protocol_runtime.types.errors import CredentialError

Key: TypeAlias = SecretStr | Callable[[], str | SecretStr]
"""A key, or what gives one: it is asked for each call, so a key may change."""

_SENDABLE = re.compile(r"[\x21-\x7e]+")
_TELLING = re.compile(r"auth|key|token|secret|cookie|password", re.IGNORECASE)


def as_key(key: object) -> Key | None:
    """An argument `api_key`, kept so that nothing shows it. Raises `CredentialError` for what is none."""
    if key is None or isinstance(key, SecretStr) or callable(key):
        return key
    if isinstance(key, str):
        return SecretStr(key)
    kind = type(key).__name__
    raise CredentialError(f"api_key must be a text, a SecretStr or a function that returns one, not a {kind}")


def find_key(given: Key | None, credentials: Credentials, env: Mapping[str, str]) -> str | None:
    """The key that is given, else the first that the environment has; None where there is none.

    Raises `CredentialError` if it cannot stand in a header.
    """
    key = given if given is None or isinstance(given, SecretStr) else given()
    text = key.get_secret_value() if isinstance(key, SecretStr) else key
    if text is not None and not isinstance(text, str):
        raise CredentialError(f"the function given as api_key returned a {type(text).__name__}, not a text")
    candidates = (text, *(env.get(name) for name in credentials.env))
    found = next((text.strip() for text in candidates if text and text.strip()), None)
    if found is not None and not _SENDABLE.fullmatch(found):
        raise CredentialError("the key holds characters that no header can carry; was it copied whole?")
    return found


def secrets_in(headers: Mapping[str, str]) -> tuple[str, ...]:
    """Values of headers whose names tell that they are secret, with and without a word like ``Bearer`` before them."""
    values = [value for name, value in headers.items() if _TELLING.search(name)]
    return tuple(text for value in values for text in (value, value.rpartition(" ")[2]) if text)
