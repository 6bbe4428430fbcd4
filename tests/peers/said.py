"""Inputs: what stands in messages."""

from __future__ import annotations

from typing import Any

from langchain_core.documents import Document
from langchain_core.messages import (
    AIMessage,
    AnyMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    trim_messages,
)
from langchain_core.messages.utils import filter_messages
from langchain_core.prompts import ChatPromptTemplate, FewShotChatMessagePromptTemplate, MessagesPlaceholder

from .inputs import CACHE, IMAGE, PDF, PNG, WAV, Input, called
from .peers import ANTHROPIC, CHAT, GEMINI, RESPONSES

OPENAI = (CHAT, RESPONSES)
BUT_GEMINI = (CHAT, RESPONSES, ANTHROPIC)
ASKED = HumanMessage("What is the weather in Köln and Rome?")
KOELN, ROME = ("get_weather", {"city": "Köln"}, "call_1"), ("get_weather", {"city": "Rome"}, "call_2")


def one(*blocks: Any) -> list[AnyMessage]:
    return [HumanMessage(list(blocks))]


def after_call(*results: ToolMessage, content: Any = "", calls: tuple[Any, ...] = (KOELN,)) -> list[AnyMessage]:
    return [ASKED, called(*calls, content=content), *results]


def result(content: Any, **said: Any) -> ToolMessage:
    return ToolMessage(content, **{"tool_call_id": "call_1", "name": "get_weather"} | said)


EXAMPLES = FewShotChatMessagePromptTemplate(
    examples=[{"a": "2+2", "b": "4"}, {"a": "2+3", "b": "5"}],
    example_prompt=ChatPromptTemplate.from_messages([("human", "{a}"), ("ai", "{b}")]),
)
PROMPT = ChatPromptTemplate.from_messages(
    [("system", "You add."), EXAMPLES, MessagesPlaceholder("history"), ("human", "{q}")]
)
THREAD: list[AnyMessage] = [
    SystemMessage("s"),
    HumanMessage("one", id="1"),
    AIMessage("uno", id="2"),
    HumanMessage("two", id="3"),
]

TEXTS = [
    Input("text", "Hello"),
    Input("text with every kind of character", 'naïve "quotes" \\ \n\t 日本語 🙂 \u2028 </script>'),
    Input("role and content pairs", [("system", "s"), ("human", "h"), ("ai", "a"), ("human", "again")]),
    Input("messages as dicts", [{"role": "system", "content": "s"}, {"role": "user", "content": "h"}]),
    Input("system message", [SystemMessage("be brief"), HumanMessage("hi")]),
    Input("two system messages first", [SystemMessage("be"), SystemMessage("brief"), HumanMessage("hi")]),
    Input("system message as blocks", [SystemMessage([{"type": "text", "text": "a"}, "b"]), HumanMessage("hi")]),
    Input(
        "system message in the middle",
        [HumanMessage("hi"), AIMessage("hello"), SystemMessage("be brief"), HumanMessage("and now?")],
    ),
    Input(
        "system messages at both ends",
        [SystemMessage("first"), HumanMessage("hi"), AIMessage("hello"), HumanMessage("?"), SystemMessage("last")],
    ),
    Input(
        "developer role",
        [SystemMessage("d", additional_kwargs={"__openai_role__": "developer"}), HumanMessage("hi")],
    ),
    Input("chat message, developer", [ChatMessage("d", role="developer"), HumanMessage("hi")], peers=OPENAI),
    Input("several turns", [HumanMessage("a"), AIMessage("b"), HumanMessage("c"), AIMessage("d"), HumanMessage("e")]),
    Input(
        "neighbours of one role", [HumanMessage("a"), HumanMessage("b"), AIMessage("c"), AIMessage("d"), ("human", "e")]
    ),
    Input("two texts in one message", one({"type": "text", "text": "a"}, {"type": "text", "text": "b"})),
    Input("bare strings in a list", one("a", "b")),
    Input("names", [HumanMessage("hi", name="ada"), AIMessage("hello", name="bot"), HumanMessage("bye", name="ada")]),
    Input("message ids", [HumanMessage("hi", id="h1"), AIMessage("hello", id="a1"), HumanMessage("bye", id="h2")]),
    Input("empty text of a person", [HumanMessage("")], peers=BUT_GEMINI),
    Input("empty text among others", one({"type": "text", "text": ""}, {"type": "text", "text": "b"})),
    Input("blank text among others", one({"type": "text", "text": " \n"}, {"type": "text", "text": "b"})),
    Input("empty answer in the history", [HumanMessage("a"), AIMessage(""), HumanMessage("b")]),
    Input("answer without content in the history", [HumanMessage("a"), AIMessage([]), HumanMessage("b")]),
    Input("prefilled answer", [HumanMessage("a"), AIMessage("The answer is ")]),
    Input("few shots by a prompt template", PROMPT.invoke({"history": [("human", "x"), ("ai", "y")], "q": "2+9"})),
    Input("a filtered history", filter_messages(THREAD, exclude_ids=["2"])),
    Input("a trimmed history", trim_messages(THREAD, max_tokens=2, token_counter=len, include_system=True)),
    Input("a document's text", [HumanMessage(Document("The text.").page_content)]),
    Input("text with an id and an index", one({"type": "text", "text": "t", "id": "lc_1", "index": 0})),
]

CALLS = [
    Input("tool call and result", after_call(result("sunny"))),
    Input("result without a name", after_call(result("sunny", name=None))),
    Input("call with text", after_call(result("sunny"), content="I look it up.")),
    Input("parallel calls", after_call(result("sun"), result("rain", tool_call_id="call_2"), calls=(KOELN, ROME))),
    Input(
        "parallel results in another order",
        after_call(result("rain", tool_call_id="call_2"), result("sun"), calls=(KOELN, ROME)),
    ),
    Input(
        "calls one after the other", [*after_call(result("sun")), called(ROME), result("rain", tool_call_id="call_2")]
    ),
    Input("result, then a question", [*after_call(result("sun")), HumanMessage("Really?")]),
    Input("result with an error", after_call(result("no such city", status="error"))),
    Input("result with an artifact", after_call(result("sun", artifact={"raw": 1}))),
    Input("result that is JSON", after_call(result('{"sun": true, "degrees": 21}'))),
    Input("result that is a JSON list", after_call(result('[{"sun": true}]'))),
    Input("result that is empty", after_call(result(""))),
    Input("result of two texts", after_call(result([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]))),
    Input("result of bare strings", after_call(result(["a", "b"]))),
    Input(
        "result with an image",
        after_call(
            result([{"type": "text", "text": "map"}, {"type": "image", "base64": PNG, "mime_type": "image/png"}])
        ),
    ),
    Input(
        "result with an image by URL",
        after_call(result([{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}])),
    ),
    Input(
        "result with a PDF",
        after_call(result([{"type": "file", "base64": PDF, "mime_type": "application/pdf", "filename": "a.pdf"}])),
        peers=(RESPONSES, ANTHROPIC, GEMINI),
    ),
    Input(
        "result in the form of a block",
        after_call(result([{"type": "tool_result", "tool_use_id": "call_1", "content": "sun"}])),
        peers=(ANTHROPIC,),
    ),
    Input("call without arguments", after_call(result("now"), calls=(("now", {}, "call_1"),))),
    Input(
        "call with nested arguments",
        after_call(result("ok"), calls=(("f", {"a": {"b": [1, 2.5, None, True]}, "ü": "☃"}, "call_1"),)),
    ),
    Input(
        "call in the content and in tool_calls",
        after_call(
            result("sun"),
            content=[
                {"type": "text", "text": "look"},
                {"type": "tool_use", "id": "call_1", "name": "get_weather", "input": {"city": "Köln"}},
            ],
        ),
    ),
    Input(
        "call with an id of another maker",
        after_call(result("sun", tool_call_id="functions.f:0"), calls=(("get_weather", {}, "functions.f:0"),)),
    ),
    Input(
        "call whose arguments are no JSON",
        [
            ASKED,
            AIMessage(
                "",
                invalid_tool_calls=[
                    {"type": "invalid_tool_call", "name": "f", "args": '{"a', "id": "call_1", "error": "no JSON"}
                ],
            ),
            result("your arguments were no JSON", status="error", name="f"),
        ],
    ),
    Input(
        "the former function call",
        [
            ASKED,
            AIMessage("", additional_kwargs={"function_call": {"name": "f", "arguments": '{"a": 1}'}}),
            FunctionMessage("sun", name="f"),
        ],
        peers=(CHAT, GEMINI),
    ),
]

URL_V1 = {"type": "image", "url": IMAGE}
DATA_V1 = {"type": "image", "base64": PNG, "mime_type": "image/png"}
DATA_URL = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": "low"}}
PDF_V1 = {"type": "file", "base64": PDF, "mime_type": "application/pdf", "filename": "a.pdf"}
ANTHROPIC_IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
ANTHROPIC_PDF = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PDF}}
TEXT = {"type": "text", "text": "What is it?"}

MEDIA = [
    Input("image by URL", one(TEXT, URL_V1), peers=BUT_GEMINI),
    Input("image, base64", one(TEXT, DATA_V1)),
    Input("image as a data URL", one(TEXT, {"type": "image", "url": f"data:image/png;base64,{PNG}"}), peers=BUT_GEMINI),
    Input(
        "image by URL, former standard", one({"type": "image", "source_type": "url", "url": IMAGE}), peers=BUT_GEMINI
    ),
    Input(
        "image, base64, former standard",
        one({"type": "image", "source_type": "base64", "data": PNG, "mime_type": "image/png"}),
    ),
    Input("image_url", one(TEXT, {"type": "image_url", "image_url": {"url": IMAGE}}), peers=BUT_GEMINI),
    Input("image_url with a data URL", one(TEXT, DATA_URL)),
    Input("image in Anthropic's form", one(TEXT, ANTHROPIC_IMAGE), peers=BUT_GEMINI),
    Input(
        "image in Anthropic's form, by URL",
        one(TEXT, {"type": "image", "source": {"type": "url", "url": IMAGE}}),
        peers=BUT_GEMINI,
    ),
    Input("image in the form of Responses", one({"type": "input_image", "image_url": IMAGE}), peers=(RESPONSES,)),
    Input("image by id", one({"type": "image", "file_id": "file_1"}), peers=(RESPONSES, ANTHROPIC)),
    Input("two images and texts between", one(TEXT, DATA_V1, {"type": "text", "text": "and"}, DATA_URL)),
    Input("PDF", one(TEXT, PDF_V1)),
    Input(
        "PDF, former standard",
        one(
            {"type": "file", "source_type": "base64", "data": PDF, "mime_type": "application/pdf", "filename": "a.pdf"}
        ),
    ),
    Input("PDF by URL", one({"type": "file", "url": "https://example.com/a.pdf"}), peers=(RESPONSES, ANTHROPIC)),
    Input(
        "PDF in the form of Chat Completions",
        one({"type": "file", "file": {"file_data": f"data:application/pdf;base64,{PDF}", "filename": "a.pdf"}}),
        peers=OPENAI,
    ),
    Input("PDF in Anthropic's form", one(ANTHROPIC_PDF), peers=(ANTHROPIC,)),
    Input("file by id", one({"type": "file", "file_id": "file_1"}), peers=BUT_GEMINI),
    Input("file by id, former standard", one({"type": "file", "source_type": "id", "id": "file_1"}), peers=BUT_GEMINI),
    Input(
        "file by URI",
        one(
            {
                "type": "media",
                "file_uri": "https://generativelanguage.googleapis.com/v1beta/files/x",
                "mime_type": "video/mp4",
            }
        ),
        peers=(GEMINI,),
    ),
    Input("audio", one({"type": "audio", "base64": WAV, "mime_type": "audio/wav"}), peers=(CHAT, GEMINI)),
    Input(
        "audio in the form of Chat Completions",
        one({"type": "input_audio", "input_audio": {"data": WAV, "format": "wav"}}),
        peers=(CHAT,),
    ),
    Input("video", one({"type": "video", "base64": WAV, "mime_type": "video/mp4"}), peers=(GEMINI,)),
    Input("media in Google's form", one({"type": "media", "data": PNG, "mime_type": "image/png"}), peers=(GEMINI,)),
    Input(
        "plain text as a document",
        one({"type": "text-plain", "text": "words", "mime_type": "text/plain", "title": "T"}),
        peers=(ANTHROPIC,),
    ),
    Input(
        "document with citations",
        one(
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "words"},
                "title": "T",
                "citations": {"enabled": True},
                "context": "a letter",
            },
            TEXT,
        ),
        peers=(ANTHROPIC,),
    ),
    Input(
        "file with citations",
        one({**PDF_V1, "extras": {"citations": {"enabled": True}, "title": "T", "context": "a letter"}}, TEXT),
        peers=(ANTHROPIC,),
    ),
    Input(
        "search result",
        one(
            {
                "type": "search_result",
                "source": "https://example.com",
                "title": "T",
                "content": [{"type": "text", "text": "words"}],
                "citations": {"enabled": True},
            }
        ),
        peers=(ANTHROPIC,),
    ),
    Input(
        "cache breakpoints",
        [
            SystemMessage([{"type": "text", "text": "long", "cache_control": CACHE}]),
            HumanMessage(
                [{"type": "text", "text": "longer", "cache_control": CACHE}, {**DATA_V1, "cache_control": CACHE}]
            ),
        ],
        peers=(ANTHROPIC,),
    ),
    Input(
        "cache breakpoint in extras",
        one(
            {"type": "text", "text": "long", "extras": {"cache_control": CACHE}},
            {**PDF_V1, "extras": {"cache_control": CACHE}},
        ),
        peers=(ANTHROPIC,),
    ),
    Input(
        "cache breakpoint of Chat Completions",
        one({"type": "text", "text": "long", "prompt_cache_breakpoint": {"mode": "explicit"}}, TEXT),
        peers=OPENAI,
    ),
]

SAID = [*TEXTS, *CALLS, *MEDIA]
