"""What LlamaIndex asks of every component, and how its own base class would do harm: pickles, copies, dumps, reprs."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from llama_index.core.callbacks import CallbackManager
from pydantic import Field, field_serializer

from ai_protocol_integrations._model import ApiKey, ClientModel
from ai_protocol_runtime.flow.notices import warn

_ALWAYS_SHOWN = ("model",)


class Component(ClientModel):
    """A model as a component of LlamaIndex.

    No dump, pickle or repr holds its key. A pickle leaves out what cannot be pickled, says so, and takes nothing from
    the object itself (LlamaIndex's own way deletes it there); what is left out has its default again when it is read.
    Copies report to the same callback handlers and wait for the same rate limiter.
    """

    api_key: ApiKey | None = Field(default=None, exclude=True, repr=False)

    _other_names: ClassVar[Mapping[str, str]] = {
        "api_base": "base_url",
        "default_headers": "headers",
        "additional_kwargs": "extra_body",
    }
    _shared: ClassVar[tuple[str, ...]] = ("http_client", "http_async_client", "callback_manager", "rate_limiter")

    @classmethod
    def class_name(cls) -> str:
        return cls.__name__

    @field_serializer("manifests")
    def _shown_folder(self, folder: str | Path | None) -> str | None:
        return None if folder is None else str(folder)

    def __getstate__(self) -> dict[Any, Any]:
        state = super().__getstate__()
        own = {name: value for name, value in state["__dict__"].items() if not self._is_default(name, value)}
        gone = [name for name, value in own.items() if not _can_be_pickled(value)]
        if gone:
            left = f"a pickle of {type(self).__name__} leaves out {', '.join(gone)}, which cannot be pickled"
            warn(left, UserWarning)
        state["__dict__"] = {name: value for name, value in own.items() if name not in gone}
        return state

    def __setstate__(self, state: dict[Any, Any]) -> None:
        # LlamaIndex's own goes on after an error (a provider that is not known here), with half of an object.
        type(self).__init__(self, **state["__dict__"])

    @classmethod
    def _is_default(cls, name: str, value: Any) -> bool:
        """Whether a field has its default, or says nothing: a callback manager that nobody listens to."""
        if isinstance(value, CallbackManager):
            return not value.handlers
        field = cls.model_fields.get(name)
        return field is not None and not field.is_required() and bool(value == field.get_default())

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        fields = type(self).model_fields.items()
        for name, field in sorted(fields, key=lambda one: one[0] not in _ALWAYS_SHOWN):
            value = self.__dict__.get(name)
            if name in _ALWAYS_SHOWN or (field.repr and not field.exclude and not self._is_default(name, value)):
                yield name, self._shown_headers(value) if name == "headers" else value

    def __str__(self) -> str:
        return repr(self)


def _can_be_pickled(value: Any) -> bool:
    try:
        pickle.dumps(value)
    except Exception:  # whatever the value's own code raises
        return False
    return True
