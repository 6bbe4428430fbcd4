"""Where a key comes from, and the header it travels in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from pydantic import SecretStr

from ai_protocol_runtime.manifest.schema import Credentials, ProviderManifest
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
    raise CredentialError(f"api_key must be a text, a SecretStr or a function that returns one, not a {type(key).__name__}")


def find_key(provider: ProviderManifest, credentials: Credentials, key: Key | None, env: Mapping[str, str]) -> str | None:
    """The key: the one given, else the first of the environment's; None where none is needed.

    Raises `CredentialError` where one is needed and there is none, or it cannot stand in a header.
    """
    given = key if key is None or isinstance(key, SecretStr) else key()
    text = given.get_secret_value() if isinstance(given, SecretStr) else given
    if text is not None and not isinstance(text, str):
        raise CredentialError(f"the function given as api_key returned a {type(text).__name__}, not a text")
    found = next((text for text in (text, *(env.get(name) for name in credentials.env)) if text and text.strip()), None)
    if found is None:
        if credentials.required:
            raise CredentialError(
                f"no key for {provider.name}: pass api_key=..., or set {' or '.join(credentials.env)}. "
                "To try things without a key, use a model of the simulator: simulator/anything"
            )
        return None
    found = found.strip()
    if not _SENDABLE.fullmatch(found):
        raise CredentialError(f"the key for {provider.name} holds characters that cannot be sent; was it pasted whole?")
    return found


def secrets_in(headers: Mapping[str, str]) -> tuple[str, ...]:
    """Values of headers whose names tell that they are secret, with and without a word such as ``Bearer`` before them."""
    values = [value for name, value in headers.items() if _TELLING.search(name)]
    return tuple(text for value in values for text in (value, value.rpartition(" ")[2]) if text)
