"""Every instance of every version of a drill's models, on a port of its own: ``python -m streams.drills.server …``."""

import argparse
import asyncio
import json
import socket
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from agents.drills import faults, formula
from agents.drills.formula import Answered, Cells, Columns
from schemas.errors import HeadgateError, SchemaError
from streams import clock
from streams.drills.hosting import CALLER, GROUP, Faults, Hosted, Hosting, read_hosting, watched
from streams.drills.telemetry import Row, Silent, Spoken, Telemetry
from streams.kafka import Clients
from streams.serving.files import Watched, replace
from streams.serving.protocol import Asked, answer, read_columns, read_labels
from streams.serving.web import LOOPBACK, end_on_signals, read_body, refuse, serve
from streams.settings import load_settings

HEALTH_SECONDS = 2.0
_DIGITS = 9


@dataclass(slots=True)
class Instance:
    """One instance: answers as its version does, with the faults that are on, and says what it did.

    requests, failures
        Rows of the requests that came, and of those that failed, since it last spoke of its health.
    number
        Requests so far.
    rows, failed
        Rows that were answered and that failed, in all.
    """

    hosted: Hosted
    version: str
    name: str
    telemetry: Telemetry
    requests: int = 0
    failures: int = 0
    number: int = 0
    rows: int = 0
    failed: int = 0
    _last: tuple[int, int] = (0, 0)

    async def infer(self, body: Any, on: Faults) -> dict[str, object] | None:
        """Answer a request; None where the instance fails, SchemaError where there is none to answer."""
        began = perf_counter()
        hosted = self.hosted
        asked = read_columns(body, tuple(hosted.served.features))
        # The caller's id survives the gateway's retry, so a prediction asked twice has one id and one answer.
        asked = Asked(asked.id or uuid.uuid4().hex, asked.rows, asked.columns)
        probe = isinstance(body.get("parameters"), dict) and body["parameters"].get("probe") is True
        mine = faults.touching(on, hosted.model, self.version)
        fails = faults.fails(mine, self.number)
        self.number += 1
        self.requests += asked.rows
        delay = faults.delay_ms(mine)
        if delay:
            await asyncio.sleep(delay / 1000.0)
        if fails:
            self.failures += asked.rows
            self.failed += asked.rows
            return None
        told, inputs = self._answer(asked, mine)
        outcomes = [hosted.served.outcomes[kind] for kind in told.outcome.tolist()]
        if not probe:
            late = (perf_counter() - began) * 1000.0 if delay else 0.0
            self._record(asked, inputs, (outcomes, told), late)
            self._judge(asked, mine)
            self.rows += asked.rows
        outputs: dict[str, Sequence[Any]] = {
            "outcome": outcomes,
            "confidence": told.confidence.round(_DIGITS).tolist(),
            "chance": told.chance.round(_DIGITS).tolist(),
        }
        return answer(hosted.route, self.version, asked.id, outputs)

    def speak(self) -> None:
        """Say how it is: a little late, so that the rows it speaks of have arrived before."""
        requests, failures = self._last
        if requests:
            self.telemetry.health(requests, failures)
        self._last = (self.requests, self.failures)
        self.requests = self.failures = 0

    def _answer(self, asked: Asked, on: Faults) -> tuple[Answered, Columns]:
        """Return the answer, and the inputs as the model was fed them."""
        served, dice = self.hosted.served, self.hosted.chance("answer", self.version, asked.id)
        inputs: dict[str, Cells] = {}
        for name in served.features:
            cells = asked.columns[name]
            inputs[name] = list(cells) if isinstance(cells, list) else cells
        fed = faults.fed(inputs, on, dice)
        likely = formula.chance(faults.answering(served, on), fed)
        return formula.answered(faults.said(served, (fed, _groups(asked)), likely, on, dice)), fed

    def _record(self, asked: Asked, fed: Columns, told: tuple[list[str], Answered], late: float) -> None:
        outcomes, answered = told
        dice = self.hosted.chance("work", self.version, asked.id)
        work = (formula.work_ms(asked.rows, dice) + late).tolist()
        groups = _groups(asked)
        callers = asked.columns.get(CALLER)
        by = callers if isinstance(callers, list) else [""] * asked.rows
        columns = {name: _listed(cells) for name, cells in fed.items()}
        sure = answered.confidence.tolist()
        self.telemetry.rows(
            [
                Row(
                    id=f"{asked.id}-{row}",
                    features=dict(zip(columns, values, strict=True)),
                    outcome=outcomes[row],
                    confidence=sure[row],
                    latency_ms=work[row],
                    groups={name: of[row] for name, of in groups.items()},
                    caller=by[row],
                )
                for row, values in enumerate(zip(*columns.values(), strict=True))
            ]
        )

    def _judge(self, asked: Asked, on: Faults) -> None:
        for judge in self.hosted.served.judges:
            dice = self.hosted.chance("judge", judge, asked.id)
            found = faults.scores(judge, asked.rows, on, dice)
            self.telemetry.scores(judge, [f"{asked.id}-{row}" for row in range(asked.rows)], found.tolist())


def _groups(asked: Asked) -> dict[str, list[str]]:
    columns = asked.columns.items()
    return {name.removeprefix(GROUP): of for name, of in columns if name.startswith(GROUP) and isinstance(of, list)}


def _listed(cells: Cells) -> list[Any]:
    if isinstance(cells, list):
        return cells
    if np.isnan(cells).any():
        return [None if value != value else value for value in cells.tolist()]  # noqa: PLR0124 - only NaN is not itself
    values: list[Any] = cells.tolist()
    return values


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
        while True:
            await asyncio.sleep(HEALTH_SECONDS)
            for one in self.instances.values():
                one.speak()
            if stats is not None:
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
                listener = socket.create_server((LOOPBACK, 0), backlog=256)
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
