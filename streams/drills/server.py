"""Every instance of every version of a drill's models, on a port of its own: ``python -m streams.drills.server …``."""

import argparse
import asyncio
import json
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from schemas.errors import HeadgateError, SchemaError
from streams import clock
from streams.drills.hosting import Faults, Hosting, read_hosting, watched
from streams.drills.instance import Instance
from streams.drills.telemetry import Silent, Spoken, Telemetry
from streams.kafka import Clients
from streams.serving.files import Watched, replace
from streams.serving.protocol import read_labels
from streams.serving.web import end_on_signals, listen, read_body, refuse, serve
from streams.settings import load_settings

HEALTH_TICKS = 6
"""An instance speaks of its health every so many ticks."""
_TICK = 0.25


@dataclass(slots=True)
class Host:
    """The web side of all instances: which of them is asked is told by the port."""

    on: Watched[Faults]
    instances: dict[int, Instance] = field(default_factory=dict)

    async def infer(self, request: Request) -> JSONResponse:
        """Answer ``POST /v2/models/<model>/infer``."""
        told = await self._of(request).infer(await read_body(request), self.on.now())
        return JSONResponse({"error": "the instance fails"}, 500) if told is None else JSONResponse(told)

    async def labels(self, request: Request) -> JSONResponse:
        """Take ``POST /v2/models/<model>/labels``: what turned out to be true of earlier predictions."""
        told, telemetry = read_labels(await read_body(request)), self._of(request).telemetry
        for prediction_id, label in told:
            telemetry.label(prediction_id, label)
        return JSONResponse({"taken": len(told)})

    async def ready(self, request: Request) -> JSONResponse:
        """Answer ``GET /v2/health/ready``."""
        one = self._of(request)
        return JSONResponse({"ready": True, "name": one.hosted.route, "version": one.version})

    def app(self) -> Starlette:
        """Return the web application."""
        return Starlette(
            routes=[
                Route("/v2/models/{model}/infer", self.infer, methods=["POST"]),
                Route("/v2/models/{model}/labels", self.labels, methods=["POST"]),
                Route("/v2/health/ready", self.ready),
                Route("/v2/health/live", self.ready),
            ],
            exception_handlers={SchemaError: refuse},
        )

    async def speak(self, stats: Path | None) -> None:
        """Let every instance say how it is, again and again, and write what each version did to `stats`."""
        for tick in count(1):
            await asyncio.sleep(_TICK)
            for one in self.instances.values():
                if tick % HEALTH_TICKS == 0:
                    one.speak()
                one.telemetry.settle()
            if stats is not None and tick % HEALTH_TICKS == 0:
                replace(stats, json.dumps(self._counted()))

    def _counted(self) -> dict[str, dict[str, list[int]]]:
        """Return rows that were answered and that failed, by model and version."""
        counted: dict[str, dict[str, list[int]]] = {}
        for one in self.instances.values():
            mine = counted.setdefault(one.hosted.model, {}).setdefault(one.version, [0, 0])
            mine[0] += one.rows
            mine[1] += one.failed
        return counted

    def _of(self, request: Request) -> Instance:
        return self.instances[request.scope["server"][1]]


async def _serve(host: Host, listeners: Sequence[socket.socket], ports: str, options: argparse.Namespace) -> None:
    speaking = asyncio.get_running_loop().create_task(host.speak(options.stats))
    try:
        await serve(host.app(), listeners, options.ready_file, ports)
    finally:
        speaking.cancel()


def _open(hosting: Hosting, host: Host, spoken: bool) -> tuple[list[socket.socket], Mapping[str, dict[str, list[int]]]]:
    """Open a port for each instance, and return sockets, and ports by model and version."""
    settings = load_settings() if spoken else None
    if settings is not None:
        clock.install(settings)
    producer = Clients(settings).producer(linger_ms=50) if settings is not None else None
    listeners: list[socket.socket] = []
    ports: dict[str, dict[str, list[int]]] = {}
    for hosted in hosting.models:
        for version, names in hosted.versions.items():
            for name in names:
                listener = listen()
                telemetry: Telemetry = Silent()
                if settings is not None and producer is not None:
                    telemetry = Spoken(settings, hosted, version, name, producer)
                port = int(listener.getsockname()[1])
                host.instances[port] = Instance(hosted, version, name, telemetry)
                listeners.append(listener)
                ports.setdefault(hosted.model, {}).setdefault(version, []).append(port)
    return listeners, ports


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="streams.drills.server", description=__doc__)
    parser.add_argument("--hosting", required=True, type=Path, help="file that says which models are served")
    parser.add_argument("--ready-file", type=Path, help="where to write the ports once they are open")
    parser.add_argument("--fault-file", type=Path, help="says which faults are on")
    parser.add_argument("--stats", type=Path, help="file for rows and failures of each version, replaced as they grow")
    parser.add_argument("--silent", action="store_true", help="tell Kafka nothing")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; 1 when there is nothing to serve, or a setting is of no use."""
    options = _options(arguments)
    host = Host(watched(options.fault_file))
    try:
        listeners, ports = _open(read_hosting(options.hosting), host, not options.silent)
    except HeadgateError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the log file of this process
        return 1
    end_on_signals()
    try:
        asyncio.run(_serve(host, listeners, json.dumps(ports), options))
    finally:
        for one in host.instances.values():
            if isinstance(one.telemetry, Spoken):
                one.telemetry.close()
        for listener in listeners:
            listener.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
