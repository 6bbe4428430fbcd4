"""The schema of `providers/*.yaml`: who answers, where, for which key, and how it departs from a wire format."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticKnownError

from ai_protocol_runtime.manifest.document import Place
from ai_protocol_runtime.types.errors import ERROR_CLASSES

from .base import (
    JSON_PATH,
    Docs,
    EnvName,
    HeaderName,
    Id,
    JSONPath,
    OneOrMore,
    Regex,
    Seconds,
    Section,
    ShortForm,
    Url,
    UrlPath,
)
from .models import ModelFacts

Figure = Literal[
    "requests_limit",
    "requests_remaining",
    "requests_reset",
    "tokens_limit",
    "tokens_remaining",
    "tokens_reset",
    "input_tokens_limit",
    "input_tokens_remaining",
    "input_tokens_reset",
    "output_tokens_limit",
    "output_tokens_remaining",
    "output_tokens_reset",
]
"""What a provider may tell of its rate limits."""

_VARIABLE = re.compile(r"\{(\w+)\}")
_MODEL = "model"


class Variable(Section):
    """A part of the address that differs from one account to another."""

    env: list[EnvName] = Field(
        default=[], description="Environment variables that may hold it; the first that is set counts."
    )
    default: str | None = Field(default=None, description="Its value where no environment variable holds it.")
    description: str = Field(description="What it is and where to find it; shown where it is missing.")

    def faults(self) -> Iterator[tuple[Place, str]]:
        if not self.env and self.default is None:
            yield (), "needs `env` or `default`"


class Credentials(Section):
    """Where the key comes from and how it travels: always in a header."""

    env: list[EnvName] = Field(
        default=[], description="Environment variables that may hold the key; the first that is set counts."
    )
    header: HeaderName = Field(default="Authorization", description="The header that carries the key.")
    prefix: str = Field(default="Bearer ", description="What stands before the key in that header, with its space.")
    required: bool = Field(
        default=True, description="Whether a call without a key is an error before anything is sent."
    )

    def faults(self) -> Iterator[tuple[Place, str]]:
        if self.required and not self.env:
            yield ("env",), "a key that is required needs an environment variable: add `env`, or `required: false`"


class Refusal(Section):
    """A field that is refused; always, unless under a condition. A path alone stands for the first."""

    path: JSONPath = Field(description="The field.")
    when: dict[JSONPath, Any] = Field(
        default={},
        description="The condition: what each of these fields must be in the body. A list names alternatives; null "
        "means that the field is there, whatever its value.",
    )


_Refused = Annotated[Refusal, ShortForm(str, lambda path: {"path": path}, {"type": "string", "pattern": JSON_PATH})]


class Endpoint(Section):
    """How the provider speaks one wire format.

    Paths lead into the request body as the wire format itself writes it, keys joined by dots, ``[]`` for every
    element of a list: ``messages[].reasoning_content``. They are applied in the order `defaults`, `replace`, `refuse`,
    `rename`.
    """

    path: UrlPath = Field(
        description="Path of the requests beneath the base URL, with its query if any. {model} stands for the model.",
    )
    headers: dict[HeaderName, str] = Field(default={}, description="Constant headers of requests in this format.")
    credentials: Credentials | None = Field(
        default=None, description="How the key travels here, where it is not the usual way."
    )
    defaults: dict[JSONPath, Any] = Field(
        default={}, description="Values that are sent where the request does not say otherwise."
    )
    replace: dict[JSONPath, dict[str, str]] = Field(
        default={},
        description="Words this provider has others for: by the field, the wire format's word and the one to send.",
    )
    refuse: list[_Refused] = Field(
        default=[], description="Fields the provider refuses: they are not sent, and are reported as a loss."
    )
    rename: dict[JSONPath, str] = Field(
        default={}, description="Fields it calls otherwise: the path and the key to send instead."
    )


class Protocol(Endpoint):
    """How the provider speaks one wire format of chats."""

    stream_path: UrlPath | None = Field(default=None, description="Path of requests for a stream, where it is another.")
    count_path: UrlPath | None = Field(
        default=None, description="Path of requests that are asked for their number of tokens, if it takes such."
    )
    framing: str | None = Field(
        default=None, description="How streams are framed, where it is not the wire format's usual way."
    )
    echo_reasoning: Literal["always", "with_tools", "never"] | None = Field(
        default=None,
        description="When the reasoning of earlier answers is sent back: always, with_tools (only with answers that "
        "call tools) or never. Left out, the wire format decides.",
    )
    stream_usage: bool = Field(
        default=True,
        description="Whether a stream may be asked to report usage. It means nothing in a wire format without such a "
        "request.",
    )
    effort_budgets: dict[str, int] = Field(
        default={},
        description="Effort words as numbers of reasoning tokens, lowest first: sent in place of the word for models "
        "that list no effort words of their own.",
    )


class EmbeddingEndpoint(Endpoint):
    """How the provider speaks one wire format of embeddings."""

    max_inputs: int | None = Field(default=None, gt=0, description="Inputs that one request may have.")
    max_tokens: int | None = Field(
        default=None, gt=0, description="Tokens that all inputs of one request may have together."
    )


class ErrorRule(Section):
    """A kind of error, told by all of the marks that are given."""

    status: OneOrMore[int | Literal["4xx", "5xx"]] = Field(
        default=[], description="HTTP statuses; 4xx and 5xx are whole classes."
    )
    code: OneOrMore[str | int] = Field(default=[], description="Values of the error's code.")
    type: OneOrMore[str] = Field(default=[], description="Values of the error's type.")
    message: OneOrMore[Regex] = Field(
        default=[], description="Regular expressions, one of which is found in the message. Case does not matter."
    )
    error: str = Field(
        description="The error class, by its name.", json_schema_extra={"enum": [*sorted(ERROR_CLASSES)]}
    )
    retryable: bool | None = Field(
        default=None, description="Whether the same call may succeed later, where it is not as usual for the class."
    )

    @field_validator("error")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in ERROR_CLASSES:
            raise PydanticKnownError("literal_error", {"expected": ", ".join(f"'{known}'" for known in ERROR_CLASSES)})
        return name

    def faults(self) -> Iterator[tuple[Place, str]]:
        if not (self.status or self.code or self.type or self.message):
            yield (), "a rule needs at least one of `status`, `code`, `type` and `message`"


class ErrorRules(Section):
    """How to read an error body, and what kind of error it is.

    Each list of paths is tried in order; a value that is null, empty or of the wrong type does not count. A body that
    is a list begins with ``[]``.
    """

    message: list[JSONPath] = Field(default=[], description="Where the message is (a text).")
    code: list[JSONPath] = Field(default=[], description="Where the provider's code is (a text or a number).")
    type: list[JSONPath] = Field(default=[], description="Where the provider's type is (a text).")
    param: list[JSONPath] = Field(default=[], description="Where the argument that is blamed is (a text).")
    request_id: list[JSONPath] = Field(
        default=[], description="Where the request's id is (a text), if no header has it."
    )
    status: list[JSONPath] = Field(
        default=[],
        description="Where the HTTP status is (a number from 400 to 599), for errors inside a stream or a 200 answer.",
    )
    rules: list[ErrorRule] = Field(default=[], description="Kinds of errors; the first rule that fits counts.")


class Retry(Section):
    """Where the provider says whether and when to try again. Read from failures only."""

    headers: list[HeaderName] = Field(
        default=[],
        description="Headers with the time to wait, tried in order: seconds, a date, or a time such as 1m30s; "
        "milliseconds where the name ends in -ms.",
    )
    paths: list[JSONPath] = Field(
        default=[], description="Where an error body has the time to wait: seconds, or a time such as 27s."
    )
    advice: list[HeaderName] = Field(
        default=[], description="Headers that say true or false: whether to try again at all."
    )


class Timeouts(Section):
    """Seconds; what is left out is the client's own default."""

    connect: Seconds | None = Field(default=None, description="Seconds to a connection.")
    first_byte: Seconds | None = Field(
        default=None, description="Seconds from the sent request to the head of the answer."
    )
    idle: Seconds | None = Field(default=None, description="Seconds between two pieces of the answer.")
    total: Seconds | None = Field(default=None, description="Seconds for the whole call.")


class Inherited(Section):
    """What every provider has from `providers/_defaults.yaml`, beneath what it says itself.

    Maps are merged; the lists, all of which are tried in order, come after the provider's own.
    """

    errors: ErrorRules = Field(default=ErrorRules(), description="How to read errors.")
    request_id_headers: list[HeaderName] = Field(
        default=[], description="Headers with the request's id, tried in order."
    )
    rate_limit_headers: dict[Figure, HeaderName] = Field(
        default={}, description="Headers with the state of the rate limits."
    )
    retry: Retry = Field(default=Retry(), description="Where the provider says whether and when to try again.")
    timeouts: Timeouts = Field(default=Timeouts(), description="How long to wait, in seconds.")


class ProviderManifest(Inherited):
    """One provider: who it is, where it answers, and how."""

    id: Id = Field(description="The provider's name; also that of the file.")
    extends: Id | None = Field(
        default=None,
        description="A provider over which this one is laid: maps are merged, lists and values replaced, and null "
        "takes away what is below.",
    )
    name: str = Field(min_length=1, description="The name people know it by.")
    aliases: list[Id] = Field(default=[], description="Other names for the id.")
    website: Url | None = Field(default=None, description="The provider's home page.")
    docs: Docs = Field(description="When and with what this file was compared.")
    base_url: Url = Field(
        description="Where the paths of the protocols begin. {name} stands for the variable of that name.",
    )
    base_url_env: list[EnvName] = Field(
        default=[], description="Environment variables that may hold another base URL; the first that is set counts."
    )
    variables: dict[str, Variable] = Field(default={}, description="The variables in the base URL and the paths.")
    in_process: bool = Field(
        default=False, description="Whether it is simulated in this process: no network, whatever the base URL."
    )
    credentials: Credentials = Field(
        default=Credentials(required=False),
        description="Where the key comes from and how it travels; left out, none is needed.",
    )
    headers: dict[HeaderName, str] = Field(default={}, description="Constant headers of all requests.")
    protocols: dict[Id, Protocol] = Field(
        default={},
        description="The wire formats of chats it speaks. The first is the usual one, unless `default_protocol` is "
        "given.",
    )
    embed: dict[Id, EmbeddingEndpoint] = Field(
        default={}, description="The wire formats of embeddings it speaks. The first is the usual one."
    )
    rerank: dict[Id, Endpoint] = Field(
        default={}, description="The wire formats of reranking it speaks. The first is the usual one."
    )
    models: ModelFacts = Field(
        default=ModelFacts(), description="What a model of this provider is that no model manifest knows."
    )
    default_protocol: Id | None = Field(
        default=None, description="The wire format that is used unless another is asked for."
    )

    def endpoints(self, service: str) -> Mapping[str, Endpoint]:
        """How it speaks the wire formats of a service: ``chat``, ``embed`` or ``rerank``."""
        services: dict[str, Mapping[str, Endpoint]] = {
            "chat": self.protocols,
            "embed": self.embed,
            "rerank": self.rerank,
        }
        return services[service]

    def faults(self) -> Iterator[tuple[Place, str]]:
        if not (self.protocols or self.embed or self.rerank):
            yield (), "a provider needs `protocols`, `embed` or `rerank`"
        if self.default_protocol is not None and self.default_protocol not in self.protocols:
            yield (
                ("default_protocol",),
                f"`{self.default_protocol}` is none of the protocols: {', '.join(self.protocols)}",
            )
        used = set()
        for path, text in self._addresses():
            for name in _VARIABLE.findall(text):
                used.add(name)
                if name not in self.variables and (name != _MODEL or path == ("base_url",)):
                    yield path, f"there is no variable `{name}`; add it to `variables`"
        for name in self.variables.keys() - used:
            yield ("variables", name), f"neither the base URL nor a path has `{{{name}}}`"

    def _addresses(self) -> Iterator[tuple[Place, str]]:
        yield ("base_url",), self.base_url
        for name, protocol in self.protocols.items():
            for key in ("path", "stream_path", "count_path"):
                if (path := getattr(protocol, key)) is not None:
                    yield ("protocols", name, key), path
        for service in ("embed", "rerank"):
            for name, endpoint in self.endpoints(service).items():
                yield (service, name, "path"), endpoint.path
