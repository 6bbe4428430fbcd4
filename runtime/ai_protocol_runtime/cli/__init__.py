"""The command line: ``ai-protocol``, or ``python -m ai_protocol_runtime.cli``.

A command is a module of this package with `arguments(parser)` and `run(options) -> exit code`; it is imported when it
is asked for, so that ``--help`` is quick. Exit codes: 0 well, 1 a provider or a manifest failed, 2 the command line or
the set-up is wrong, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

COMMANDS = {
    "chat": "talk to a model in the terminal",
    "explain": "show the HTTP request that a call would send; nothing is sent, no key is needed",
    "models": "list the models that manifests describe",
    "providers": "list the providers, their wire formats and where their keys are looked for",
    "simulate": "serve simulated models on this machine, in every wire format",
    "validate": "check manifests: their keys, their values and the shapes of wire formats",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command (default: what the process was started with) and give its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    command = next((word for word in arguments if word in COMMANDS), None)
    parser = _parser(command)
    options = parser.parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default", UserWarning)
            warnings.showwarning = _warn
            return run(options)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read us has gone; Python would complain once more when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        from ai_protocol_runtime.types.errors import AIProtocolError, UsageError

        if not isinstance(error, AIProtocolError | OSError):
            raise
        complain(str(error))
        return 2 if isinstance(error, UsageError) else 1


def _parser(command: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("ai-protocol", description="One runtime for every model provider.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, purpose in COMMANDS.items():
        sub = commands.add_parser(name, help=purpose, description=purpose[0].upper() + purpose[1:] + ".")
        if name == command:
            module = import_module(f".{name}", __name__)
            module.arguments(sub)
            sub.set_defaults(run=module.run)
    return parser


def say(text: str = "", *, end: str = "\n") -> None:
    """Write to standard output, at once."""
    sys.stdout.write(text + end)
    sys.stdout.flush()


def table(head: list[str], rows: list[list[str]]) -> None:
    """Write rows under a head, in columns."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, ["-" * width for width in widths], *rows):
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def note(text: str) -> None:
    """Write a line to standard error: what is no part of the result."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def complain(text: str) -> None:
    """Report an error as one line."""
    note("ai-protocol: " + " ".join(text.split()))


def _warn(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, file: Any = None, line: Any = None
) -> None:
    note(f"ai-protocol: warning: {message}")
