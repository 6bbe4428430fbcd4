"""Names and places: ``provider/model``, and where a base URL and a path meet."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

from ai_protocol_runtime.types.errors import ArgumentError

_DELIMITER = re.compile("[/:]")
_VERSION = re.compile(r"v\d\w*")


def split_model(text: str) -> tuple[str, str]:
    """Provider and model of ``provider/model`` or ``provider:model``; without a delimiter the provider is empty.

    The first delimiter splits, the rest belongs to the model: ``ollama/llama3:8b`` is ``llama3:8b`` of ``ollama``.
    """
    found = _DELIMITER.search(text)
    return (text[: found.start()], text[found.end() :]) if found else ("", text)


@lru_cache(maxsize=256)
def join_url(base_url: str, path: str) -> str:
    """`path` beneath `base_url`, where the end of the one is not said again by the beginning of the other.

    ``https://host`` and ``https://host/v1`` both take ``/v1/chat`` to ``https://host/v1/chat``; any other path in front
    is kept. A base URL that ends with the version within the path stands for all of the path up to there. Queries of
    both are kept, the base URL's last.

    Raises `ArgumentError` if `base_url` is no HTTP address.
    """
    base = _checked(base_url)
    wanted, _, query = path.partition("?")
    there = [segment for segment in base.path.split("/") if segment]
    then = wanted.strip("/").split("/") if wanted.strip("/") else []
    shared = next((n for n in range(min(len(there), len(then)), 0, -1) if there[-n:] == then[:n]), 0)
    if not shared and there and _VERSION.fullmatch(there[-1]) and there[-1] in then:
        shared = then.index(there[-1]) + 1
    joined = "/".join(there + then[shared:])
    query = "&".join(part for part in (query, base.query) if part)
    return f"{base.scheme}://{base.netloc}/{joined}{'?' + query if query else ''}"


def _checked(base_url: str) -> SplitResult:
    try:
        parts = urlsplit(base_url.strip())
        parts.port  # noqa: B018  (raises where it is no number)
    except ValueError as error:
        raise ArgumentError(f"base_url {base_url!r} is no URL: {error}") from None
    if parts.username is not None or parts.password is not None:
        raise ArgumentError("base_url must hold no user name and no password; send them by `headers`")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ArgumentError(f"base_url {base_url!r} must begin with http:// or https:// and name a host")
    return parts
