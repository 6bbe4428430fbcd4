"""``ai-protocol simulate``: the simulator on a port of this machine."""

from __future__ import annotations

import argparse

from . import note, say


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=0, metavar="N", help="default: a free one, which is printed")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen at (default: %(default)s)")
    parser.add_argument("--pace", type=float, default=0.0, metavar="S", help="seconds before each event of a stream")
    parser.add_argument("--api-key", metavar="K", help="refuse requests that do not bring this key")
    parser.add_argument("--manifests", metavar="FOLDER", help="manifests of your own, read before all others")


def run(options: argparse.Namespace) -> int:
    from ai_protocol_runtime.manifest import manifests
    from ai_protocol_runtime.simulator.http import Server
    from ai_protocol_runtime.simulator.server import Simulator

    simulator = Simulator(manifests(options.manifests), api_key=options.api_key, pace=options.pace)
    with Server(simulator, host=options.host, port=options.port) as server:
        say(server.url)
        for wire, path in simulator.addresses():
            note(f"{wire:20} {path}")
        note("Ctrl-C ends it.")
        server.wait()
    return 0
