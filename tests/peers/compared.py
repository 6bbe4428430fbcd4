"""Both classes are asked the same; what each of them sent."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

from langchain_core.messages import AIMessage

from . import remembered
from .asked import ASKED
from .inputs import History, Input
from .peers import PEERS, Peer
from .recording import Recorder
from .remembered import ANSWERS, REMEMBERED
from .said import SAID
from .semantics import ABSENT, differences, said
from .settings import SETTINGS


def pairs() -> list[tuple[Input, Peer]]:
    """Every input with each peer that it applies to."""
    plain = [(given, peer) for given in (*SAID, *ASKED, *SETTINGS) for peer in given.peers]
    remembered = [(given, peer) for given in REMEMBERED for peer in PEERS if peer.wire in _first(given)]
    return plain + remembered


def _first(given: Input) -> dict[str, Any]:
    return ANSWERS[given.name.rpartition(": ")[2]][0]


@cache
def compared(given: Input, peer: Peer) -> list[tuple[str, Any, Any]]:
    """The differences between what the two sent. Where one sends nothing, what it raises is all."""
    recorder = _recorder()
    recorder.wire = peer.wire
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # each warns in its own words of what it leaves out
        theirs = _sent(recorder, given, peer, ours=False)
        ours = _sent(recorder, given, peer, ours=True)
    if "raises" in theirs or "raises" in ours:
        raised = (theirs.get("raises", ABSENT), ours.get("raises", ABSENT))
        return [] if raised[0] == raised[1] else [("/raises", *raised)]
    return list(differences(theirs, ours))


@cache
def _recorder() -> Recorder:
    """One for all, as long as the tests run."""
    return Recorder().__enter__()


def _sent(recorder: Recorder, given: Input, peer: Peer, *, ours: bool) -> dict[str, Any]:
    fields = {**given.fields, **(given.ours if ours else given.theirs.get(peer.wire, {}))}
    call = {**given.call, **(given.our_call if ours else given.their_call.get(peer.wire, {}))}
    if peer.wire in given.model:
        fields["model"] = given.model[peer.wire]
    messages = given.messages
    if given.history is not None:
        messages = messages(_remembered(recorder, given, given.history, peer, ours=ours))
    recorder.answer = remembered.TEXT[peer.wire]
    recorder.asked.clear()
    raised = ""
    try:
        model = given.ask((peer.ours if ours else peer.theirs)(recorder.url, **fields))
        if given.stream:
            list(model.stream(messages, **call))
        else:
            model.invoke(messages, **call)
    except Exception as error:  # what it makes of the answer is judged elsewhere
        raised = type(error).__name__
    if not recorder.asked:
        return {"raises": raised}
    (asked,) = recorder.asked
    return said(peer.wire, asked)


def _remembered(recorder: Recorder, given: Input, how: History, peer: Peer, *, ours: bool) -> AIMessage:
    recorder.answer = _first(given)[peer.wire]
    model = peer.ours(recorder.url) if ours and how.own else peer.theirs(recorder.url, **how.fields)
    if not how.stream:
        answer: AIMessage = model.invoke("And?")
        return answer
    whole: Any = None
    for chunk in model.stream("And?"):
        whole = chunk if whole is None else whole + chunk
    found: AIMessage = whole
    return found
