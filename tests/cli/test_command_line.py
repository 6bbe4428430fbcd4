"""The command line, in this process; and once as a program of its own."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest

from ai_protocol_runtime.cli import COMMANDS, main
from ai_protocol_runtime.simulator import simulate
from ai_protocol_runtime.types import Message, Reasoning, Text, ToolCall


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "AI_PROTOCOL_MANIFESTS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for kind in ("providers", "models", "wire"):
        (tmp_path / kind).mkdir()
    return tmp_path


def type_in(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    """A person at the keyboard, who ends with Ctrl-D."""
    left = iter(lines)

    def read(prompt: str = "") -> str:
        try:
            return next(left)
        except StopIteration:
            raise EOFError from None

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("builtins.input", read)


# chat


def test_chat(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chat", "simulator/any", "hello there"]) == 0
    out, err = capsys.readouterr()
    assert out == "You said: hello there\n"
    assert re.fullmatch(r"\[any; stop; 7 tokens in, 7 out; \d+\.\d s\]\n", err)


def test_chat_reads_a_pipe(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("from a pipe\n"))
    assert main(["chat", "simulator/echo", "--protocol", "anthropic-messages"]) == 0
    assert capsys.readouterr().out == "from a pipe\n"


def test_chat_passes_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    with simulate("cli", lambda request: "ok") as bot:
        arguments = ["--system", "Be brief.", "--max-tokens", "7", "--temperature", "0.5", "--reasoning", "low"]
        assert main(["chat", "simulator/cli", "hi", *arguments]) == 0
    (request,) = bot.requests
    assert (request.max_tokens, request.temperature, request.effort) == (7, 0.5, "low")
    assert [message.role for message in request.messages] == ["system", "user"]


def test_chat_shows_reasoning_to_people_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    script = [Message("assistant", [Reasoning("Hm."), Text("Yes.")])] * 2
    with simulate("cli", script):
        assert main(["chat", "simulator/cli", "hi"]) == 0
        assert capsys.readouterr().out == "Yes.\n"
        terminal = Terminal()
        monkeypatch.setattr("sys.stdout", terminal)
        assert main(["chat", "simulator/cli", "hi"]) == 0
    assert terminal.getvalue() == "\x1b[2mHm.\x1b[0m\n\nYes.\n"


def test_chat_shows_calls(capsys: pytest.CaptureFixture[str]) -> None:
    with simulate("cli", ToolCall("c", "f", '{"a":1}')):
        assert main(["chat", "simulator/cli", "hi"]) == 0
    assert capsys.readouterr().out == 'f({"a":1})\n\n'


def test_conversation(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    type_in(monkeypatch, "first", "  ", "second", "third")
    with simulate("cli", ["one", OSError("gone"), OSError("gone"), OSError("gone"), "three"]) as bot:
        assert main(["chat", "simulator/cli"]) == 0
    out, err = capsys.readouterr()
    assert "one\n" in out
    assert "three\n" in out
    assert "connection failed" in err
    said = [part.text for message in bot.requests[-1].messages for part in message.parts]  # type: ignore[union-attr]
    assert said == ["first", "one", "third"]


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["chat", "simulator/error-401", "hi"], 1, "told to fail with 401"),
        (["chat", "simulator/cut", "tell me a story"], 1, "ended before the answer was complete"),
        (["chat", "simulater/any", "hi"], 2, "did you mean `simulator`"),
        (["chat", "openai/gpt-4o", "hi"], 2, "OPENAI_API_KEY"),
        (["chat", "simulator/any", "hi", "--protocol", "morse"], 2, "morse"),
        (["models", "nobody-at-all"], 2, "unknown provider"),
    ],
)
def test_errors_are_one_line(
    arguments: list[str], code: int, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == code
    err = capsys.readouterr().err
    (line,) = [line for line in err.splitlines() if not line.startswith("ai-protocol: warning")]
    assert line.startswith("ai-protocol: ")
    assert complaint in line


def test_wrong_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["sing"], ["chat"], ["chat", "a/b", "hi", "--loud"]):
        with pytest.raises(SystemExit) as exit:
            main(arguments)
        assert exit.value.code == 2
    with pytest.raises(SystemExit) as exit:
        main(["--help"])
    assert exit.value.code == 0
    out = capsys.readouterr().out
    assert all(command in out for command in COMMANDS)


# explain


def test_explain(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a-very-secret")
    tool = "get_weather(city: string, days: int, where)"
    assert main(["explain", "openai/gpt-4o", "Grüße", "--stream", "--tool", tool, "--max-tokens", "9"]) == 0
    head, _, body = capsys.readouterr().out.partition("\n\n")
    assert head.startswith("POST https://api.openai.com/v1/chat/completions\n")
    assert "authorization: Bearer ***" in head
    request = json.loads(body)
    assert (request["stream"], request["messages"][-1]["content"]) == (True, "Grüße")
    parameters = request["tools"][0]["function"]["parameters"]
    assert {name: kind["type"] for name, kind in parameters["properties"].items()} == {
        "city": "string",
        "days": "integer",
        "where": "string",
    }


def test_explain_needs_no_key_and_takes_another_place(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["explain", "anthropic/some-model", "--base-url", "http://127.0.0.1:9/v1"]
    tool = '{"name": "f", "parameters": {"type": "object"}}'
    assert main([*arguments, "--tool", tool, "--protocol", "anthropic-messages"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("POST http://127.0.0.1:9/v1/messages\n")
    assert '"name": "f"' in out


@pytest.mark.parametrize("tool", ["{", '{"colour": 1}', "get weather", "f(a: colour)"])
def test_explain_of_a_wrong_tool(tool: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "simulator/any", "--tool", tool]) == 2
    assert "--tool" in capsys.readouterr().err


# manifests


def test_providers(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a-very-secret")
    assert main(["providers"]) == 0
    out = capsys.readouterr().out
    line = r"^openai +OpenAI +openai-chat, openai-responses, openai-embeddings +OPENAI_API_KEY \(set\)$"
    assert re.search(line, out, re.MULTILINE)
    assert re.search(r"^simulator .* none needed$", out, re.MULTILINE)
    assert "a-very-secret" not in out
    assert main(["providers", "openai"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^base URL +https://api.openai.com$", out, re.MULTILINE)
    assert re.search(r"^openai-chat +/v1/chat/completions$", out, re.MULTILINE)
    assert "a-very-secret" not in out


def test_models(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "models" / "simulator.yaml").write_text(
        "provider: simulator\n"
        'docs: {checked: 2026-11-21, pages: ["https://example.com/"]}\n'
        "models:\n"
        "  big: {context_window: 1000000, structured_output: true, prices: {input: 1.5, output: 10}}\n"
    )
    assert main(["models", "simulator", "--manifests", str(folder)]) == 0
    assert re.search(
        r"^simulator/big +1,000,000 +text -> text +tools schema temperature +1.5 / 10$",
        capsys.readouterr().out,
        re.MULTILINE,
    )


def test_validate_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r"\d+ manifests, no errors\n", err)


def test_validate_says_where(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / "providers" / "mine.yaml"
    good = 'id: mine\nname: Mine\ndocs: {checked: 2026-11-21, pages: ["https://example.com/"]}\nbase_url: https://example.com\n'
    file.write_text(good + "protocols:\n  openai-chatt: {path: /chat}\n")
    assert main(["validate", str(file)]) == 1
    assert f"{file}:6: unknown wire format `openai-chatt`, did you mean `openai-chat`?" in capsys.readouterr().out
    file.write_text(good + "protcols:\n  openai-chat: {path: /chat}\n")
    assert main(["validate", "--manifests", str(folder)]) == 1
    out, err = capsys.readouterr()
    assert f"{file}:5: unknown key `protcols`, did you mean `protocols`?" in out
    assert re.search(r"\d+ manifests, \d errors?$", err.strip())
    file.write_text(good + "protocols:\n  openai-chat: {path: /chat}\n")
    assert main(["validate", str(file)]) == 0


def test_validate_compiles_shapes_and_finds_owners(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wire = folder / "wire" / "mine.yaml"
    packaged = Path(__file__).parents[2] / "manifests" / "wire" / "openai-chat.yaml"
    wire.write_text(
        packaged.read_text().replace("id: openai-chat", "id: mine").replace("$temperature~", "$temprature~")
    )
    models = folder / "models" / "nobody.yaml"
    models.write_text(
        'provider: nobody\ndocs: {checked: 2026-11-21, pages: ["https://example.com/"]}\nmodels: {a: {}}\n'
    )
    assert main(["validate", str(wire), str(models)]) == 1
    out = capsys.readouterr().out
    assert re.search(rf"{re.escape(str(wire))}:\d+: .*temprature", out)
    assert f"{models}:1: unknown provider `nobody`" in out


# simulate, and as a program


def test_simulate(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    answers = []

    def visit(server: object) -> None:
        url = capsys.readouterr().out.strip()
        data = json.dumps({"model": "any", "messages": [{"role": "user", "content": "hi"}]}).encode()
        headers = {"authorization": "Bearer sesame", "content-type": "application/json"}
        request = urllib.request.Request(f"{url}/v1/chat/completions", data, headers)
        with urllib.request.urlopen(request) as response:
            answers.append(json.load(response))
        raise KeyboardInterrupt

    monkeypatch.setattr("ai_protocol_runtime.simulator.http.Server.wait", visit)
    before = threading.active_count()
    assert main(["simulate", "--port", "0", "--api-key", "sesame"]) == 130
    assert answers[0]["choices"][0]["message"]["content"] == "You said: hi"
    assert threading.active_count() <= before + 1


def test_as_a_program() -> None:
    command = [sys.executable, "-m", "ai_protocol_runtime.cli", "chat", "simulator/echo"]
    done = subprocess.run(command, input="Zażółć", capture_output=True, text=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stdout) == (0, "Zażółć\n")


def test_help_is_quick() -> None:
    code = (
        "import sys\nfrom ai_protocol_runtime.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
        "assert not {'httpx', 'pydantic', 'yaml', 'tenacity'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
