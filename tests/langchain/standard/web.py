"""The files that the suites fetch from the internet: the smallest of their kind, made here."""

from __future__ import annotations

import base64
import io
import struct
import wave
import zlib
from typing import Any

import httpx


def _png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)  # one pixel of eight bits a colour
    pixels = zlib.compress(b"\0\xff\0\0")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def _pdf() -> bytes:
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>",
    ]
    file, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(file))
        file += b"%d 0 obj%bendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 4\n0000000000 65535 f \n" + table
    return file + head + b"trailer<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % len(file)


def _wav() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(b"\0\0" * 80)
    return file.getvalue()


FILES = {
    ("raw.githubusercontent.com", ".png"): _png(),
    ("www.w3.org", ".pdf"): _pdf(),
    ("upload.wikimedia.org", ".wav"): _wav(),
}
"""By host and ending."""
WAV = base64.b64encode(FILES["upload.wikimedia.org", ".wav"]).decode()


def fetch(url: str, **_: Any) -> httpx.Response:
    """Instead of `httpx.get`: one of the `FILES`, and nothing else of the world."""
    address = httpx.URL(url)
    for (host, ending), content in FILES.items():
        if address.host == host and address.path.endswith(ending):
            return httpx.Response(200, content=content)
    raise AssertionError(f"a test wants {url} from the internet")
