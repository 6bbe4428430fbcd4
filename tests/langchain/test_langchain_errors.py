"""Errors: each is one of the runtime's and one of LangChain's, and says whether a retry is of use."""

from __future__ import annotations

import copy
import pickle
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import ModelRetryMiddleware
from langchain.agents.middleware._retry import default_retry_on
from langchain_core import exceptions as theirs
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.exceptions import ModelError

from ai_protocol_integrations.langchain import ChatAIProtocol, RefusalError, errors
from ai_protocol_integrations.langchain._errors import model_errors
from ai_protocol_runtime.simulator import simulate
from ai_protocol_runtime.types import Answer, Candidate, Message, Text
from ai_protocol_runtime.types import errors as ours

Connect = Callable[..., ChatAIProtocol]

TREE = [kind for kind in vars(ours).values() if isinstance(kind, type) and issubclass(kind, ours.AIProtocolError)]


def raised(error: BaseException) -> Any:
    with pytest.raises(type(error)) as caught, model_errors():
        raise error
    return caught.value


def test_the_tree() -> None:
    names = {kind.__name__ for kind in TREE}
    assert names | {"RefusalError"} == set(errors.__all__)
    assert all(getattr(errors, name) is getattr(ours, name) for name in names)


@pytest.mark.parametrize("kind", TREE)
def test_each_is_both(kind: type[ours.AIProtocolError]) -> None:
    error = kind("it went wrong")
    assert raised(error) is error
    assert isinstance(error, kind)
    assert isinstance(error, ModelError)
    assert error.is_retryable is kind.retryable is default_retry_on(error)
    assert (type(error).__name__, type(error).__module__) == (kind.__name__, errors.__name__)
    assert type(raised(error)) is type(error)
    for other in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(other) is type(error)
        assert str(other) == str(error)
        assert vars(other) == vars(error)


@pytest.mark.parametrize(
    ("error", "kinds"),
    [
        (ours.ContextOverflowError, (theirs.ContextOverflowError, theirs.ModelInvalidRequestError)),
        (ours.RequestTooLargeError, (theirs.ModelInvalidRequestError,)),
        (ours.AuthenticationError, (theirs.ModelAuthenticationError,)),
        (ours.CredentialError, (theirs.ModelAuthenticationError,)),
        (ours.PermissionDeniedError, (theirs.ModelPermissionDeniedError,)),
        (ours.NotFoundError, (theirs.ModelNotFoundError,)),
        (ours.RateLimitedError, (theirs.ModelRateLimitError,)),
        (ours.QuotaExhaustedError, (theirs.ModelRateLimitError,)),
        (ours.OverloadedError, (theirs.ModelAPIError,)),
        (ours.MalformedResponseError, (theirs.ModelAPIError,)),
        (ours.ConnectionFailedError, (theirs.ModelConnectionError,)),
        (ours.StreamInterruptedError, (theirs.ModelConnectionError,)),
        (ours.ProviderTimeoutError, (theirs.ModelTimeoutError,)),
        (ours.ArgumentError, (theirs.ModelInvalidRequestError, ValueError)),
    ],
)
def test_what_langchain_calls_it(error: type[ours.AIProtocolError], kinds: tuple[type[Exception], ...]) -> None:
    assert all(isinstance(raised(error("no")), kind) for kind in kinds)


def test_a_class_of_somebody_else() -> None:
    class TooHotError(ours.RateLimitedError):
        pass

    assert isinstance(raised(TooHotError("hot")), theirs.ModelRateLimitError)


def test_what_the_error_itself_says_counts() -> None:
    assert not raised(ours.RateLimitedError("no", retryable=False)).is_retryable
    assert raised(ours.InvalidRequestError("no", retryable=True)).is_retryable


def test_its_history_is_kept() -> None:
    def fail() -> None:
        try:
            raise KeyError("why")
        except KeyError as error:
            raise ours.ServerError("what") from error

    with pytest.raises(ours.ServerError) as caught, model_errors():
        fail()
    assert isinstance(caught.value.__cause__, KeyError)
    shown = "".join(traceback.format_exception(caught.value))
    assert shown.count("Traceback") == 2
    assert "errors.ServerError: what" in shown
    plain = raised(ours.ServerError("what"))
    assert (plain.__cause__, plain.__context__) == (None, None)


def test_other_errors_are_left_alone() -> None:
    assert type(raised(KeyError("why"))) is KeyError


def test_the_response() -> None:
    headers = {"content-type": "application/json; charset=latin-1", "content-encoding": "gzip", "x-left": "3 ü"}
    error = raised(ours.InvalidRequestError("no", status=400, headers=headers, body={"why": "ü"}, request_id="r1"))
    assert error.response.status_code == 400
    assert error.response.json() == {"why": "ü"}
    assert error.response.headers["x-left"] == "3 ü"
    assert error.request_id == "r1"
    for body, text in (("<html>ü", "<html>ü"), (b"\xff{", "�{"), (None, "")):
        assert raised(ours.ServerError("no", status=500, body=body)).response.text == text
    assert raised(ours.ConnectionFailedError("no")).response is None
    assert not hasattr(raised(ours.ArgumentError("no")), "response")


# calls


class Told(BaseCallbackHandler):
    def __init__(self) -> None:
        self.told: list[tuple[BaseException, Any]] = []

    def on_llm_error(self, error: BaseException, *, response: Any = None, **kwargs: Any) -> None:
        self.told.append((error, response))


@pytest.mark.parametrize(
    ("model", "kind", "retryable"),
    [
        ("error-401", theirs.ModelAuthenticationError, False),
        ("error-404", theirs.ModelNotFoundError, False),
        ("error-400", theirs.ModelInvalidRequestError, False),
        ("error-429", theirs.ModelRateLimitError, True),
        ("error-500", theirs.ModelAPIError, True),
    ],
)
async def test_calls(connect: Connect, model: str, kind: type[ModelError], retryable: bool) -> None:
    chat, handler = connect(model), Told()
    with pytest.raises(kind) as caught:
        chat.invoke("hi", config={"callbacks": [handler]})
    assert caught.value.is_retryable is retryable
    ((error, response),) = handler.told
    assert error is caught.value
    (told,) = response.generations[0]
    assert told.message.response_metadata["status_code"] == int(model[-3:])
    assert "request_id" in told.message.response_metadata
    assert told.message.response_metadata["body"]["error"]
    with pytest.raises(kind):
        await chat.ainvoke("hi")
    with pytest.raises(kind):
        list(chat.stream("hi"))
    with pytest.raises(kind):
        [chunk async for chunk in chat.astream("hi")]
    with pytest.raises(kind):
        list(chat.stream_events("hi", version="v3"))


@pytest.mark.parametrize("model", ["cut", "drop"])
async def test_a_stream_that_is_cut_off(connect: Connect, model: str) -> None:
    chat, chunks = connect(model), list[Any]()
    with pytest.raises(theirs.ModelConnectionError) as caught:
        chunks.extend(chat.stream("tell me a long story about a cat"))
    assert isinstance(caught.value, errors.StreamInterruptedError)
    assert caught.value.is_retryable
    assert caught.value.partial.text == "".join(chunk.text for chunk in chunks) != ""
    with pytest.raises(theirs.ModelConnectionError):
        [chunk async for chunk in chat.astream("tell me a long story about a cat")]


def test_no_server(connect: Connect) -> None:
    with pytest.raises(theirs.ModelConnectionError) as caught:
        connect(base_url="http://127.0.0.1:1").invoke("hi")
    assert caught.value.is_retryable


def test_no_key(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACME_API_KEY", raising=False)
    with pytest.raises(theirs.ModelAuthenticationError):
        connect(api_key=None).invoke("hi")


def test_a_wrong_argument_is_not_sent_again(connect: Connect) -> None:
    with pytest.raises(theirs.ModelInvalidRequestError, match=r"did you mean .temperature.") as caught:
        connect().invoke("hi", temprature=0)
    assert isinstance(caught.value, ValueError)
    assert not default_retry_on(caught.value)
    with pytest.raises(theirs.ModelInvalidRequestError, match="seed"):
        connect(on_unsupported="error").invoke("hi", seed=1)


def test_retries_of_an_agent(connect: Connect) -> None:
    retry = ModelRetryMiddleware(max_retries=2, initial_delay=0, on_failure="error")
    script: list[Any] = [
        ours.RateLimitedError("slow down", status=429),
        ours.OverloadedError("busy", status=503),
        "At last.",
    ]
    with simulate("chat-1", script) as asked:
        agent: Any = create_agent(connect(), middleware=[retry])
        answer = agent.invoke({"messages": "hi"})
    assert answer["messages"][-1].text == "At last."
    assert len(asked.requests) == 3
    with simulate("chat-1", [ours.AuthenticationError("no", status=401), "Never."]) as asked:
        agent = create_agent(connect(), middleware=[retry])
        with pytest.raises(theirs.ModelAuthenticationError):
            agent.invoke({"messages": "hi"})
    assert len(asked.requests) == 1


def test_a_refusal_is_not_retried() -> None:
    error = RefusalError("no", llm_output="no")
    assert isinstance(error, theirs.OutputParserException)
    assert not default_retry_on(error)


def test_what_had_come_lives_in_a_pickle() -> None:
    partial = Answer(candidates=[Candidate(message=Message("assistant", [Text("half")]))])
    error = raised(ours.StreamInterruptedError("cut", partial=partial))
    assert pickle.loads(pickle.dumps(error)).partial == partial
