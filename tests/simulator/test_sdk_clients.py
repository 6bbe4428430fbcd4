"""The providers' own SDKs as clients of the simulator: whole, streamed, tools, structured output, errors, models.

Their types are lenient when they read; so what was read is validated once more, strictly.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from ai_protocol_runtime.simulator import Server

pytestmark = [
    pytest.mark.sdk,
    # Theirs, not ours: deprecations inside the SDKs, and connections they leave to the garbage collector.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

PARAMETERS = {
    "type": "object",
    "properties": {"input": {"type": "integer"}},
    "required": ["input"],
    "additionalProperties": False,
}
ASKED = "What is magic_function(3)?"
CALLED_TWICE = "magic_function(3), magic_function(4)"
FUNCTION = {"name": "magic_function", "parameters": PARAMETERS, "strict": True}
CHAT_TOOLS: Any = [{"type": "function", "function": FUNCTION}]
RESPONSES_TOOLS: Any = [{"type": "function", **FUNCTION}]
MESSAGES_TOOLS: Any = [{"name": "magic_function", "input_schema": PARAMETERS}]
THINKING: Any = {"type": "enabled", "budget_tokens": 1024}


class Person(BaseModel):
    name: str
    age: int


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with Server() as server:
        yield server.url


def valid(answer: Any) -> Any:
    """The same, checked against its own type: keys as they came, nothing that is missing made up."""
    type(answer).model_validate(answer.model_dump(exclude_unset=True, by_alias=True), by_name=True, by_alias=True)
    return answer


class TestOpenAI:
    @pytest.fixture
    def client(self, url: str) -> Any:
        openai = pytest.importorskip("openai", reason="the package openai is not installed; `make sdks` does it")
        with openai.OpenAI(api_key="k", base_url=f"{url}/v1", max_retries=0) as client:
            yield client

    def test_chat(self, client: Any) -> None:
        answer = valid(client.chat.completions.create(model="any", messages=[{"role": "user", "content": "hi"}]))
        assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("You said: hi", "stop")
        assert (answer.model, answer.usage.total_tokens) == ("any", 8)

    def test_chat_stream(self, client: Any) -> None:
        text, usage = "", None
        for chunk in client.chat.completions.create(
            model="any",
            messages=[{"role": "user", "content": "hello there"}],
            stream=True,
            stream_options={"include_usage": True},
        ):
            valid(chunk)
            text += "".join(choice.delta.content or "" for choice in chunk.choices)
            usage = chunk.usage or usage
        assert text == "You said: hello there"
        assert usage is not None
        assert usage.completion_tokens == 7

    def test_chat_tools(self, client: Any) -> None:
        messages: list[Any] = [{"role": "user", "content": ASKED}]
        message = (
            valid(client.chat.completions.create(model="any", messages=messages, tools=CHAT_TOOLS)).choices[0].message
        )
        (call,) = message.tool_calls
        assert (call.function.name, json.loads(call.function.arguments)) == ("magic_function", {"input": 3})
        messages += [message, {"role": "tool", "tool_call_id": call.id, "content": "5"}]
        answer = client.chat.completions.create(model="any", messages=messages, tools=CHAT_TOOLS)
        assert answer.choices[0].message.content == "magic_function says: 5"

    def test_chat_tools_streamed(self, client: Any) -> None:
        messages: Any = [{"role": "user", "content": ASKED}]
        with client.chat.completions.stream(model="any", messages=messages, tools=CHAT_TOOLS) as stream:
            for _ in stream:
                pass
            choice = stream.get_final_completion().choices[0]
        assert choice.finish_reason == "tool_calls"
        assert choice.message.tool_calls[0].function.parsed_arguments == {"input": 3}

    def test_chat_parse(self, client: Any) -> None:
        messages: Any = [{"role": "user", "content": "name 'Zoë', age 7"}]
        answer = client.chat.completions.parse(model="any", messages=messages, response_format=Person)
        assert answer.choices[0].message.parsed == Person(name="Zoë", age=7)

    def test_responses(self, client: Any) -> None:
        answer = valid(client.responses.create(model="any", input="hi", reasoning={"effort": "low"}))
        assert (answer.output_text, answer.status) == ("You said: hi", "completed")
        assert [item.type for item in answer.output] == ["reasoning", "message"]

    def test_responses_tools(self, client: Any) -> None:
        first = valid(client.responses.create(model="any", input=ASKED, tools=RESPONSES_TOOLS))
        (call,) = first.output
        assert (call.name, json.loads(call.arguments)) == ("magic_function", {"input": 3})
        result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "5"}
        answer = client.responses.create(
            model="any", input=[{"role": "user", "content": ASKED}, call, result], tools=RESPONSES_TOOLS
        )
        assert answer.output_text == "magic_function says: 5"

    def test_responses_stream(self, client: Any) -> None:
        for request in ({"input": "hello", "reasoning": {"effort": "low"}}, {"input": ASKED, "tools": RESPONSES_TOOLS}):
            kinds = [valid(event).type for event in client.responses.create(model="any", stream=True, **request)]
            assert (kinds[0], kinds[-1]) == ("response.created", "response.completed")
        with client.responses.stream(model="any", input="hello") as stream:
            for _ in stream:
                pass
            assert stream.get_final_response().output_text == "You said: hello"
        with client.responses.stream(model="any", input=ASKED, tools=RESPONSES_TOOLS) as stream:
            for _ in stream:
                pass
            assert stream.get_final_response().output[0].parsed_arguments == {"input": 3}

    def test_responses_stream_of_several_calls(self, client: Any) -> None:
        """Put together by ids, by indices or from what has ended, it is what the last event says."""
        request: Any = {"model": "any", "input": CALLED_TWICE, "tools": RESPONSES_TOOLS, "reasoning": {"effort": "low"}}
        events = [valid(event) for event in client.responses.create(stream=True, **request)]
        assert [event.sequence_number for event in events] == list(range(len(events)))
        whole = events[-1].response
        added = [event.item for event in events if event.type == "response.output_item.added"]
        done = [event.item for event in events if event.type == "response.output_item.done"]
        assert done == whole.output
        assert [item.id for item in added] == [item.id for item in done]
        pieces = [event for event in events if event.type == "response.function_call_arguments.delta"]
        for place, item in enumerate(done):
            if item.type == "function_call":
                assert "".join(piece.delta for piece in pieces if piece.item_id == item.id) == item.arguments
                assert "".join(piece.delta for piece in pieces if piece.output_index == place) == item.arguments
        assert [item.type for item in done] == ["reasoning", "function_call", "function_call"]

        with client.responses.stream(**request) as stream:
            ended = [event.item for event in stream if event.type == "response.output_item.done"]
            final = stream.get_final_response()
        assert [item.model_dump() for item in ended] == [
            item.model_dump(exclude={"parsed_arguments"}) for item in final.output
        ]
        assert [item.parsed_arguments for item in final.output[1:]] == [{"input": 3}, {"input": 4}]

    def test_errors(self, client: Any) -> None:
        import openai

        for model, kind in (
            ("error-429", openai.RateLimitError),
            ("error-401", openai.AuthenticationError),
            ("error-503", openai.InternalServerError),
        ):
            with pytest.raises(kind, match="told to fail"):
                client.chat.completions.create(model=model, messages=[{"role": "user", "content": "hi"}])
        with pytest.raises(openai.APIError, match="in the middle"):
            list(
                client.chat.completions.create(model="fail", messages=[{"role": "user", "content": "hi"}], stream=True)
            )
        with pytest.raises(openai.BadRequestError, match="temperature"):
            client.responses.create(model="any", input="hi", temperature=9)

    def test_models(self, client: Any) -> None:
        assert client.models.retrieve("some/model").id == "some/model"
        assert list(client.models.list()) is not None


class TestAnthropic:
    @pytest.fixture
    def client(self, url: str) -> Any:
        anthropic = pytest.importorskip(
            "anthropic", reason="the package anthropic is not installed; `make sdks` does it"
        )
        with anthropic.Anthropic(api_key="k", base_url=url, max_retries=0) as client:
            yield client

    def ask(self, text: str, **more: Any) -> Any:
        return {"model": "any", "max_tokens": 4000, "messages": [{"role": "user", "content": text}], **more}

    def test_message(self, client: Any) -> None:
        answer = valid(client.messages.create(**self.ask("hi", system="Be brief.")))
        assert (answer.content[0].text, answer.stop_reason, answer.role) == ("You said: hi", "end_turn", "assistant")
        answer = client.messages.create(**self.ask("one two", stop_sequences=["two"]))
        assert (answer.stop_reason, answer.stop_sequence) == ("stop_sequence", "two")
        assert client.messages.create(**{**self.ask("hi there"), "max_tokens": 3}).stop_reason == "max_tokens"

    def test_tools_and_thinking(self, client: Any) -> None:
        first = valid(client.messages.create(**self.ask(ASKED, tools=MESSAGES_TOOLS, thinking=THINKING)))
        thought, call = first.content
        assert (thought.type, call.name, call.input) == ("thinking", "magic_function", {"input": 3})
        request = self.ask(ASKED, tools=MESSAGES_TOOLS, thinking=THINKING)
        result = {"type": "tool_result", "tool_use_id": call.id, "content": "5"}
        request["messages"] += [{"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
        assert client.messages.create(**request).content[-1].text == "magic_function says: 5"

    def test_stream(self, client: Any) -> None:
        with client.messages.stream(**self.ask(ASKED, tools=MESSAGES_TOOLS, thinking=THINKING)) as stream:
            kinds = [event.type for event in stream]
            answer = valid(stream.get_final_message())
        assert (kinds[0], kinds[-1]) == ("message_start", "message_stop")
        assert [block.type for block in answer.content] == ["thinking", "tool_use"]
        assert answer.content[1].input == {"input": 3}
        assert answer.usage.input_tokens > 0
        with client.messages.stream(**self.ask("hello")) as stream:
            assert "".join(stream.text_stream) == "You said: hello"

    def test_raw_events(self, client: Any) -> None:
        for event in client.messages.create(**self.ask("hello"), stream=True):
            valid(event)

    def test_errors(self, client: Any) -> None:
        import anthropic

        for model, kind in (("error-429", anthropic.RateLimitError), ("error-529", anthropic.APIStatusError)):
            with pytest.raises(kind, match="told to fail"):
                client.messages.create(**{**self.ask("hi"), "model": model})
        with pytest.raises(anthropic.APIStatusError, match="in the middle"):
            list(client.messages.create(**{**self.ask("hi"), "model": "fail"}, stream=True))

    def test_models(self, client: Any) -> None:
        assert list(client.models.list()) is not None


class TestGoogle:
    @pytest.fixture
    def client(self, url: str) -> Any:
        pytest.importorskip("google.genai", reason="the package google-genai is not installed; `make sdks` does it")
        from google import genai

        return genai.Client(api_key="k", http_options=genai.types.HttpOptions(base_url=url))

    @property
    def types(self) -> Any:
        from google.genai import types

        return types

    def tools(self) -> Any:
        declared = self.types.FunctionDeclaration(name="magic_function", parameters_json_schema=PARAMETERS)
        return [self.types.Tool(function_declarations=[declared])]

    def test_whole_and_streamed(self, client: Any) -> None:
        answer = client.models.generate_content(model="any", contents="hi")
        assert (answer.text, answer.candidates[0].finish_reason.name) == ("You said: hi", "STOP")
        assert answer.usage_metadata.total_token_count == 8
        chunks = list(client.models.generate_content_stream(model="any", contents="hello there"))
        assert "".join(chunk.text or "" for chunk in chunks) == "You said: hello there"
        assert len(chunks) > 2

    def test_tools_and_thoughts(self, client: Any) -> None:
        config = self.types.GenerateContentConfig(
            tools=self.tools(), thinking_config=self.types.ThinkingConfig(include_thoughts=True)
        )
        first = client.models.generate_content(model="any", contents=ASKED, config=config)
        thought, called = first.candidates[0].content.parts
        assert thought.thought
        assert (called.function_call.name, called.function_call.args) == ("magic_function", {"input": 3})
        result = self.types.Part.from_function_response(name="magic_function", response={"result": 5})
        result.function_response.id = called.function_call.id
        contents = [
            self.types.UserContent(ASKED),
            first.candidates[0].content,
            self.types.Content(role="user", parts=[result]),
        ]
        answer = client.models.generate_content(model="any", contents=contents, config=config)
        assert "5" in answer.text
        streamed = list(client.models.generate_content_stream(model="any", contents=ASKED, config=config))
        contents = [chunk.candidates[0].content for chunk in streamed if chunk.candidates[0].content]
        parts = [part for content in contents for part in content.parts or ()]
        assert [part.function_call.args for part in parts if part.function_call] == [{"input": 3}]

    def test_schema(self, client: Any) -> None:
        config = self.types.GenerateContentConfig(response_mime_type="application/json", response_schema=Person)
        answer = client.models.generate_content(model="any", contents="name 'Zoë', age 7", config=config)
        assert answer.parsed == Person(name="Zoë", age=7)

    def test_errors(self, client: Any) -> None:
        from google.genai import errors

        with pytest.raises(errors.ClientError, match="told to fail"):
            client.models.generate_content(model="error-404", contents="hi")
        with pytest.raises(errors.ServerError):
            client.models.generate_content(model="error-500", contents="hi")

    def test_models(self, client: Any) -> None:
        assert list(client.models.list()) is not None
