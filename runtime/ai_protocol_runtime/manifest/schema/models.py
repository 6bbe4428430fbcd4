"""The schema of `models/*.yaml`: what a provider's models take, give and cost."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from .base import Day, Docs, Id, Section, ShortForm

Modality = Literal["text", "image", "audio", "video", "pdf"]
Count = Annotated[int, Field(gt=0)]
Price = Annotated[float, Field(ge=0)]
ModelName = Annotated[str, StringConstraints(pattern=r"^\S+$")]


class Reasoning(Section):
    """How a model's reasoning is asked for."""

    efforts: list[str] = Field(
        default=[], description="The effort words it takes, lowest first; none means it takes no words."
    )
    default: str | None = Field(default=None, description="The effort it has when none is asked for.")
    budget: bool = Field(default=False, description="Whether it takes a number of reasoning tokens.")


_KnownOrNot = ShortForm(bool, lambda reasons: {} if reasons else None, {"type": "boolean"})


class ModelFacts(Section):
    """What the rest of the program has to know of a model."""

    context_window: Count | None = Field(default=None, description="Tokens it can read and write together.")
    max_input: Count | None = Field(
        default=None, description="Tokens it can read, where they are fewer than the context window."
    )
    max_output: Count | None = Field(default=None, description="Tokens it can write in one answer.")
    inputs: list[Modality] = Field(default=["text"], description="What it reads.")
    outputs: list[Modality] = Field(default=["text"], description="What it writes.")
    tool_calling: bool = Field(default=True, description="Whether it calls tools.")
    tool_choice: bool = Field(default=True, description="Whether it can be made to call a tool.")
    structured_output: bool | Literal["strict"] = Field(
        default=False,
        description="Whether it can be held to a JSON Schema; `strict`: only to one that is said to be strict.",
    )
    reasoning: Annotated[Reasoning | None, _KnownOrNot] = Field(
        default=None,
        description="How its reasoning is asked for; true where no more is known, false or left out where it has none.",
    )
    temperature: bool = Field(default=True, description="Whether it takes a temperature.")


class Prices(Section):
    """US dollars for a million tokens."""

    input: Price = Field(description="Of input that is not cached.")
    output: Price = Field(description="Of output, reasoning included.")
    cache_read: Price | None = Field(default=None, description="Of input read from a cache; left out, as other input.")
    cache_write: Price | None = Field(
        default=None, description="Of input written to a cache; left out, as other input."
    )


class ModelEntry(ModelFacts):
    """One model, as it stands in the file."""

    name: str | None = Field(default=None, min_length=1, description="The name people know it by.")
    aliases: list[ModelName] = Field(
        default=[], description="Other names for the id. An asterisk stands for anything: `name-2025-*`."
    )
    protocol: Id | None = Field(
        default=None, description="The wire format it is best spoken to in, where it is not the usual one."
    )
    prices: Prices | None = Field(default=None, description="US dollars for a million tokens.")
    released: Day | None = Field(default=None, description="The day it became available.")
    deprecated: bool = Field(
        default=False, description="Whether the provider advises against it, or has set an end to it."
    )


class ModelManifest(ModelEntry):
    """One model of one provider."""

    id: str
    """The name the provider knows it by."""
    provider: str
    """The provider's id."""


class ModelFile(Section):
    """The models of one provider. A file of your own adds to the packaged one, model by model."""

    provider: Id = Field(description="The provider's id; also the name of the file.")
    docs: Docs = Field(description="When and with what this file was compared.")
    models: dict[ModelName, ModelEntry] = Field(description="The models, by the names the provider knows them by.")
