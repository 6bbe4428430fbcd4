"""Rules: how an LLM behaves beside what it says."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from llama_index.core import PromptTemplate
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.callbacks import CallbackManager, CBEventType
from llama_index.core.callbacks.base_handler import BaseCallbackHandler
from llama_index.core.extractors import KeywordExtractor
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events import BaseEvent
from llama_index.core.rate_limiter import BaseRateLimiter
from pydantic import PrivateAttr

from ai_protocol_runtime.types import Text, ToolCall
from ai_protocol_runtime.types.errors import AuthenticationError, ServerError, StreamInterruptedError

from .conftest import Stage, Way
from .factories import KEY
from .material import COUNTED, FOUND, QUESTION, SAID, Report, Tools, given, texts

BRIEF = "Be brief, and speak of nothing but the weather."
ASK = PromptTemplate("How warm is it in {city}?")
EVERY: dict[str, tuple[Any, ...]] = {
    "chat": (QUESTION,),
    "stream_chat": (QUESTION,),
    "complete": ("How warm is it?",),
    "stream_complete": ("How warm is it?",),
}
"""The four methods that ask a model, and what for."""

CALLS = pytest.mark.parametrize("name", EVERY)
STREAMS = pytest.mark.parametrize("name", ["stream_chat", "stream_complete"])


async def called(way: Way, llm: Any, name: str, *arguments: Any) -> Any:
    """What the method gives; of a stream all items."""
    made = await way(llm, name, *arguments)
    return await way.taken(made) if name.startswith("stream") else made


class Listener(BaseEventHandler):
    """Keeps the events of LlamaIndex's dispatcher."""

    _events: list[BaseEvent] = PrivateAttr(default_factory=list)

    def handle(self, event: BaseEvent, **_: Any) -> None:
        self._events.append(event)

    @property
    def names(self) -> list[str]:
        """Of the events about LLMs, in their order; the pieces of a stream are one."""
        names = [name for event in self._events if (name := event.class_name()).startswith("LLM")]
        return [name for before, name in zip([None, *names], names, strict=False) if name != before]


@pytest.fixture
def listener() -> Iterator[Listener]:
    dispatcher, listening = get_dispatcher(), Listener()
    dispatcher.add_event_handler(listening)
    yield listening
    dispatcher.event_handlers.remove(listening)


class Handler(BaseCallbackHandler):
    """A handler of the older kind, that cannot be pickled."""

    def __init__(self) -> None:
        super().__init__([], [])
        self.seen: list[tuple[str, Any]] = []
        self.note = lambda kind, payload: self.seen.append((kind, payload))

    def on_event_start(self, event_type: CBEventType, payload: Any = None, event_id: str = "", **_: Any) -> str:
        self.note(f"{event_type.value} begins", payload)
        return event_id

    def on_event_end(self, event_type: CBEventType, payload: Any = None, **_: Any) -> None:
        self.note(f"{event_type.value} ends", payload)

    def start_trace(self, trace_id: str | None = None) -> None:
        """Nothing."""

    def end_trace(self, trace_id: str | None = None, trace_map: Any = None) -> None:
        """Nothing."""


class Limiter(BaseRateLimiter):
    def __init__(self) -> None:
        self.acquired = 0

    def acquire(self, num_tokens: int = 0) -> None:
        self.acquired += 1

    async def async_acquire(self, num_tokens: int = 0) -> None:
        self.acquired += 1


# being built


def test_building_asks_nobody(stage: Stage) -> None:
    llm = stage.play([])
    assert llm.metadata.is_chat_model
    assert llm.metadata.is_function_calling_model
    assert llm.metadata.context_window > 3900  # which is LlamaIndex's for a model that it knows nothing of
    assert stage.subject.model in llm.metadata.model_name
    assert stage.sent == 0


async def test_an_unknown_model_is_asked_all_the_same(stage: Stage, way: Way) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        llm = stage.play([SAID, [ToolCall("c1", "weather", '{"city": "Oslo"}')]], model="brand-new-model-9")
        assert llm.metadata.is_chat_model
        assert llm.metadata.context_window > 0
        assert (await way(llm, "chat", QUESTION)).message.content == SAID
        response = await way(llm, "chat_with_tools", Tools().all, user_msg="And in Oslo?")
    assert [call.tool_name for call in llm.get_tool_calls_from_response(response)] == ["weather"]
    assert stage.sent == 2


# the system prompt

PROMPTED: dict[str, tuple[Any, ...]] = EVERY | {
    "predict": (ASK,),
    "stream": (ASK,),
    "structured_predict": (Report, ASK),
    "stream_structured_predict": (Report, ASK),
}


@pytest.mark.parametrize("name", PROMPTED)
async def test_the_system_prompt_is_sent_and_once(stage: Stage, way: Way, name: str) -> None:
    llm = stage.play([given(FOUND)], system_prompt=BRIEF)
    more = {"city": "Oslo"} if ASK in PROMPTED[name] else {}
    made = await way(llm, name, *PROMPTED[name], **more)
    if name.startswith("stream"):
        await way.taken(made)
    (request,) = stage.requests
    assert [texts(message) for message in request.messages if message.role == "system"] == [BRIEF]
    assert [message.role for message in request.messages] == ["system", "user"]


# loops


def test_loops_that_come_and_go_send_nothing_twice(stage: Stage) -> None:
    llm = stage.play([SAID] * 6)

    async def ask() -> list[str | None]:
        whole = await llm.achat(QUESTION)
        pieces = [piece async for piece in await llm.astream_chat(QUESTION)]
        return [whole.message.content, pieces[-1].message.content]

    assert [asyncio.run(ask()) for _ in range(3)] == [[SAID, SAID]] * 3
    assert stage.sent == 6


async def test_threads_with_loops_of_their_own_send_nothing_twice(stage: Stage) -> None:
    """As in a notebook, where LlamaIndex runs what is asynchronous from a thread while the loop goes on."""
    llm = stage.play([SAID] * 4)

    def elsewhere() -> str | None:
        return asyncio.run(llm.achat(QUESTION)).message.content

    said = [
        (await llm.achat(QUESTION)).message.content,
        await asyncio.to_thread(elsewhere),
        await asyncio.to_thread(elsewhere),
        (await llm.achat(QUESTION)).message.content,
    ]
    assert said == [SAID] * 4
    assert stage.sent == 4


async def test_threads_share_an_object(stage: Stage) -> None:
    llm = stage.play(lambda request: SAID)
    answers = await asyncio.gather(*(asyncio.to_thread(llm.chat, QUESTION) for _ in range(8)))
    assert [answer.message.content for answer in answers] == [SAID] * 8
    assert stage.sent == 8


async def test_synchronous_methods_work_in_a_running_loop(stage: Stage) -> None:
    llm = stage.play([*[SAID] * 6, given(FOUND), [ToolCall("c1", "weather", '{"city": "Oslo"}')]])
    assert llm.chat(QUESTION).message.content == SAID
    assert llm.complete("How warm is it?").text == SAID
    assert [*llm.stream_chat(QUESTION)][-1].delta is not None
    assert [*llm.stream_complete("How warm is it?")][-1].text == SAID
    assert llm.predict(ASK, city="Oslo") == SAID
    assert "".join(llm.stream(ASK, city="Oslo")) == SAID
    assert llm.structured_predict(Report, ASK, city="Oslo") == Report(**FOUND)
    tools = Tools()
    assert llm.predict_and_call(tools.all, "And in Oslo?").response == "7 degrees in Oslo"
    assert stage.sent == 8


# failures


@CALLS
async def test_a_permanent_failure_is_asked_for_once_and_as_often_again_as_is_allowed(
    stage: Stage, way: Way, name: str
) -> None:
    llm = stage.play(lambda _: ServerError("out of order", status=500, retry_after=0.0), max_retries=2)
    with pytest.raises(Exception, match="out of order") as caught:
        await called(way, llm, name, *EVERY[name])
    assert type(caught.value).__module__.partition(".")[0] in stage.subject.errors
    assert stage.sent == 3


ENDS = {
    "cut": StreamInterruptedError("cut", partial=[Text(SAID)]),
    "error": ServerError("out of order", partial=[Text(SAID)]),
}


@pytest.mark.parametrize("end", ENDS)
@STREAMS
async def test_a_stream_that_breaks_off_raises_an_error_of_the_package(
    stage: Stage, way: Way, name: str, end: str
) -> None:
    """What had come stands, and nothing is asked again."""
    llm = stage.play([ENDS[end]], max_retries=2)
    came: list[Any] = []
    stream = await way(llm, name, *EVERY[name])
    with pytest.raises(Exception) as caught:  # noqa: PT011  # which one depends on the class
        await way.see(stream, came.append)
    assert type(caught.value).__module__.partition(".")[0] in stage.subject.errors
    assert "".join(item.delta or "" for item in came) == SAID
    assert stage.sent == 1


@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "streamed"])
async def test_no_tool_is_run_of_an_answer_that_is_cut(stage: Stage, streaming: bool) -> None:
    tools = Tools()
    cut = StreamInterruptedError("cut", partial=[Text("I shall see."), ToolCall("c1", "weather", '{"city": "Oslo"}')])
    agent = FunctionAgent(tools=tools.all, llm=stage.play([cut, SAID]), streaming=streaming)
    with pytest.raises(Exception):  # noqa: B017, PT011  # which one depends on the class
        await agent.run(user_msg="How warm is it?")
    assert tools.ran == []
    assert stage.sent == 1


# secrets


def shown(text: str) -> str:
    """The text as a report may have it."""
    return text.replace(KEY, "<KEY>")


def _pickled(llm: Any) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what it leaves out
        return repr(pickle.dumps(llm))


SHOWN: dict[str, Callable[[Any], str]] = {
    "repr": repr,
    "str": str,
    "to_dict": lambda llm: str(llm.to_dict()),
    "to_json": lambda llm: llm.to_json(),
    "model_dump": lambda llm: str(llm.model_dump()),
    "model_dump_json": lambda llm: llm.model_dump_json(),
    "pickle": _pickled,
    "of a structured LLM": lambda llm: f"{(made := llm.as_structured_llm(Report))!r} {made} {made.to_dict()}",
    "of an agent": lambda llm: f"{(made := FunctionAgent(llm=llm))!r} {made.model_dump()}",
    "of an extractor": lambda llm: f"{(made := KeywordExtractor(llm=llm))!r} {made.to_dict()} {made.to_json()}",
}
"""How an LLM is shown, and what it is a part of."""


@pytest.mark.parametrize("how", SHOWN)
def test_the_key_is_not_shown(stage: Stage, how: str) -> None:
    llm = stage.play([SAID])
    assert stage.subject.model in llm.metadata.model_name
    llm.chat(QUESTION)
    assert shown(KEY) not in shown(SHOWN[how](llm))


@CALLS
async def test_the_key_is_in_no_event(stage: Stage, way: Way, listener: Listener, name: str) -> None:
    handler = Handler()
    llm = stage.play([SAID], callback_manager=CallbackManager([handler]))
    await called(way, llm, name, *EVERY[name])
    assert listener.names
    assert handler.seen
    assert shown(KEY) not in shown("".join(f"{event!r} {event.model_dump()}" for event in listener._events))
    assert shown(KEY) not in shown(repr(handler.seen))


@CALLS
async def test_the_key_is_in_no_error(stage: Stage, way: Way, name: str) -> None:
    llm = stage.play([AuthenticationError("the key is not valid", status=401)])
    with pytest.raises(Exception, match="the key is not valid") as caught:
        await called(way, llm, name, *EVERY[name])
    error: BaseException | None = caught.value
    while error is not None:
        assert shown(KEY) not in shown(f"{error} {error!r} {error.args} {vars(error)}")
        error = error.__cause__ or error.__context__


# copies


@pytest.mark.parametrize("used", [False, True], ids=["new", "used"])
async def test_a_pickle_works_and_the_object_is_unharmed(
    stage: Stage, way: Way, monkeypatch: pytest.MonkeyPatch, used: bool
) -> None:
    monkeypatch.setenv(stage.subject.format.key_from, KEY)
    handler = Handler()
    llm = stage.play([SAID] * 3, callback_manager=CallbackManager([handler]), temperature=0.25)
    if used:
        await way(llm, "chat", QUESTION)
    before = len(handler.seen)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what it leaves out
        copied = pickle.loads(pickle.dumps(llm))
    assert (copied.metadata, copied.temperature) == (llm.metadata, 0.25)
    assert (await way(copied, "chat", QUESTION)).message.content == SAID
    assert len(handler.seen) == before
    assert llm.callback_manager.handlers == [handler]
    assert (await way(llm, "chat", QUESTION)).message.content == SAID
    assert len(handler.seen) == before + 2


@pytest.mark.parametrize("used", [False, True], ids=["new", "used"])
async def test_a_deep_copy_works_and_the_object_is_unharmed(stage: Stage, way: Way, used: bool) -> None:
    handler = Handler()
    llm = stage.play([SAID] * 3, callback_manager=CallbackManager([handler]), temperature=0.25)
    if used:
        await way(llm, "chat", QUESTION)
    copied = copy.deepcopy(llm)
    assert (copied.metadata, copied.temperature) == (llm.metadata, 0.25)
    assert (await way(copied, "chat", QUESTION)).message.content == SAID
    assert llm.callback_manager.handlers == [handler]
    before = len(handler.seen)
    assert (await way(llm, "chat", QUESTION)).message.content == SAID
    assert len(handler.seen) == before + 2


# events


@CALLS
async def test_a_call_is_told_of_once_and_as_what_it_is(stage: Stage, way: Way, listener: Listener, name: str) -> None:
    """A completion, though a chat is asked for it, makes events of a completion only."""
    handler = Handler()
    llm = stage.play([COUNTED], callback_manager=CallbackManager([handler]))
    await called(way, llm, name, *EVERY[name])
    kind = "LLMCompletion" if name.endswith("complete") else "LLMChat"
    steps = ["Start", "InProgress", "End"] if name.startswith("stream") else ["Start", "End"]
    assert listener.names == [f"{kind}{step}Event" for step in steps]
    assert [what for what, _ in handler.seen] == ["llm begins", "llm ends"]


async def test_a_structured_prediction_is_told_of_around_its_chat(stage: Stage, way: Way, listener: Listener) -> None:
    llm = stage.play([given(FOUND)])
    assert await way(llm, "structured_predict", Report, ASK, city="Oslo") == Report(**FOUND)
    assert listener.names == [
        "LLMStructuredPredictStartEvent",
        "LLMChatStartEvent",
        "LLMChatEndEvent",
        "LLMStructuredPredictEndEvent",
    ]


async def abandoned(way: Way, llm: Any, name: str) -> None:
    """Takes the first item of a stream, and no more."""
    stream = await way(llm, name, *EVERY[name])
    if way.asynchronous:
        assert (await anext(stream)).delta is not None
        await stream.aclose()
    else:
        assert next(stream).delta is not None
        stream.close()


@STREAMS
async def test_an_abandoned_stream_hangs_up(stage: Stage, way: Way, name: str) -> None:
    await abandoned(way, stage.play([SAID * 20], pace=0.005), name)
    await until_broken(stage)
    assert stage.count.broken == 1, "the provider is left talking to nobody"
    assert stage.sent == 1


@STREAMS
async def test_a_cancelled_stream_hangs_up(stage: Stage, name: str) -> None:
    llm = stage.play([SAID * 20], pace=0.005)
    begun = asyncio.Event()

    async def read() -> None:
        async for _ in await getattr(llm, f"a{name}")(*EVERY[name]):
            begun.set()

    reading = asyncio.create_task(read())
    await begun.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    del reading
    await until_broken(stage)
    assert stage.count.broken == 1, "the provider is left talking to nobody"
    assert stage.sent == 1


async def until_broken(stage: Stage) -> None:
    """Until the provider finds that nobody reads its answer to the end; or half the time that this would take."""
    for _ in range(100):
        if stage.count.broken:
            break
        await asyncio.sleep(0.005)


@STREAMS
async def test_an_abandoned_stream_tells_of_no_end(stage: Stage, way: Way, listener: Listener, name: str) -> None:
    await abandoned(way, stage.play([SAID]), name)
    assert [name.removeprefix("LLMChat").removeprefix("LLMCompletion") for name in listener.names] == [
        "StartEvent",
        "InProgressEvent",
    ]


@CALLS
async def test_the_rate_limiter_is_asked_once_a_call(stage: Stage, way: Way, name: str) -> None:
    limiter = Limiter()
    llm = stage.play([SAID])
    llm.rate_limiter = limiter
    await called(way, llm, name, *EVERY[name])
    assert limiter.acquired == 1


async def test_events_can_be_written_down(stage: Stage, way: Way, listener: Listener) -> None:
    llm = stage.play([COUNTED] * 2)
    await way(llm, "chat", QUESTION)
    await way.all(llm, "stream_chat", QUESTION)
    assert len(listener.names) == 5
    for event in listener._events:
        assert json.loads(event.model_dump_json())["id_"] == event.id_
