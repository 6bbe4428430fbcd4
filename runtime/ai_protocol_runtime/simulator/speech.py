"""A simulated voice: silence, for as long as the words would take."""

from __future__ import annotations

import base64
import io
import wave

from ai_protocol_runtime.types import Media

from .tokens import count

RATE = 8000
"""Samples a second, of one byte each."""
TOKENS_A_SECOND = 5


def spoken(text: str) -> Media:
    """`text` as a WAV file, the text beside it."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(RATE)
        sound.writeframes(b"\x80" * (count(text) * RATE // TOKENS_A_SECOND))
    return Media("audio", data=base64.b64encode(file.getvalue()).decode(), text=text, mime_type="audio/wav")
