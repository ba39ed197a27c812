"""One instance of one version of the demonstration's model: ``python -m streams.demo.server --version 2 …``."""

import argparse
import asyncio
import json
import signal
import socket
import sys
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from schemas.errors import HeadgateError, SchemaError
from streams.demo.catalogue import load
from streams.demo.faults import SLOW_BY, Fault, FaultSwitch, distort
from streams.demo.inference import MAX_BODY, answer, read_labels, read_question
from streams.demo.models import CLASSES, MODEL, SENSORS, Classifier


class Telemetry(Protocol):
    """What the server uses of headgate.Recorder."""

    def record(self, features: Mapping[str, Any], /, **rest: Any) -> Any:
        """Take one prediction."""
        ...

    def label(self, prediction_id: str, label: str, /) -> Any:
        """Take what turned out to be true of one."""
        ...


class ModelServer:
    """Answers inference requests with one version, and records what the model was fed and what it said."""

    def __init__(self, version: str, classifier: Classifier, fault: FaultSwitch, telemetry: Telemetry | None) -> None:
        self._version = version
        self._classifier = classifier
        self._fault = fault
        self._telemetry = telemetry

    async def infer(self, request: Request) -> JSONResponse:
        """Answer ``POST /v2/models/shuttle/infer``."""
        began = perf_counter()
        question = read_question(await _body(request))
        fault = self._fault.now()
        rows = distort(question.rows, fault, self._classifier.centre)
        kinds, confidence = self._classifier.predict(rows)
        if fault is Fault.LATENCY:
            await asyncio.sleep(SLOW_BY)
        classes = [CLASSES[kind] for kind in kinds]
        # The caller's id survives the gateway's retry, so a prediction asked twice has one id.
        request_id = question.id or uuid.uuid4().hex
        latency = (perf_counter() - began) * 1000.0
        if self._telemetry is not None:
            for index, (row, told, sure) in enumerate(zip(rows.tolist(), classes, confidence.tolist(), strict=True)):
                self._telemetry.record(
                    dict(zip(SENSORS, row, strict=True)),
                    prediction=told,
                    confidence=sure,
                    latency_ms=latency,
                    prediction_id=f"{request_id}-{index}",
                )
        return JSONResponse(answer(self._version, request_id, classes, confidence))

    async def labels(self, request: Request) -> JSONResponse:
        """Take ``POST /v2/models/shuttle/labels``: what turned out to be true of earlier predictions."""
        told = read_labels(await _body(request))
        if self._telemetry is not None:
            for prediction_id, label in told:
                self._telemetry.label(prediction_id, label)
        return JSONResponse({"taken": len(told)})

    async def ready(self, _: Request) -> JSONResponse:
        """Answer ``GET /v2/health/ready``."""
        return JSONResponse({"ready": True, "name": MODEL, "version": self._version})

    def app(self) -> Starlette:
        """Return the web application."""
        return Starlette(
            routes=[
                Route(f"/v2/models/{MODEL}/infer", self.infer, methods=["POST"]),
                Route(f"/v2/models/{MODEL}/labels", self.labels, methods=["POST"]),
                Route("/v2/health/ready", self.ready),
                Route("/v2/health/live", self.ready),
            ],
            exception_handlers={SchemaError: _refuse},
        )


async def _body(request: Request) -> Any:
    """Read a JSON body of bounded size."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise SchemaError(f"the body is over {MAX_BODY} bytes")
    try:
        return json.loads(bytes(body))
    except (ValueError, RecursionError) as error:
        raise SchemaError("the body is not JSON") from error


async def _refuse(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"error": str(error)}, 400)


@asynccontextmanager
async def _announced(ready_file: Path | None, port: int) -> AsyncIterator[None]:
    """Write the port to `ready_file`, whole or not at all."""
    if ready_file is not None:
        fresh = ready_file.with_suffix(".new")
        fresh.write_text(str(port))
        fresh.replace(ready_file)
    yield


async def _serve(app: Starlette, listener: socket.socket, ready_file: Path | None) -> None:
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=3,
        timeout_keep_alive=3600,  # the gateway keeps connections; closing one under it costs a retry
    )
    async with _announced(ready_file, listener.getsockname()[1]):
        await uvicorn.Server(config).serve(sockets=[listener])


def _recorder(options: argparse.Namespace) -> Any:
    """Return the SDK's recorder, or None when no broker was given."""
    if not options.bootstrap_servers:
        return None
    from headgate import Recorder

    return Recorder(
        model=MODEL,
        version=options.version,
        instance=options.instance,
        bootstrap_servers=options.bootstrap_servers,
        ledger=options.ledger,
        max_delay=0.25,
    )


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="streams.demo.server", description=__doc__)
    parser.add_argument("--registry", required=True, help="URI of the MLflow registry")
    parser.add_argument("--version", required=True)
    parser.add_argument("--instance", required=True, help="name of this instance in telemetry")
    parser.add_argument("--port", type=int, default=0, help="on loopback; 0 takes a free one")
    parser.add_argument("--ready-file", type=Path, help="where to write the port once it is open")
    parser.add_argument("--fault-file", type=Path, help="names the fault of the feature pipeline")
    parser.add_argument("--bootstrap-servers", default="", help="Kafka for telemetry; none without")
    parser.add_argument("--ledger", default="headgate", help="prefix of the topics")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; 1 when the model cannot be loaded or the port is taken."""
    options = _options(arguments)
    try:
        classifier = load(options.registry, options.version)
        listener = socket.create_server(("127.0.0.1", options.port))
    except HeadgateError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the log file of this process
        return 1
    except OSError as error:
        print(f"port {options.port} cannot be had: {error.strerror}", file=sys.stderr)  # noqa: T201
        return 1
    # Uvicorn raises the signal again once it has shut down: without these the flush below would never run.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    recorder = _recorder(options)
    try:
        server = ModelServer(options.version, classifier, FaultSwitch(options.fault_file), recorder)
        asyncio.run(_serve(server.app(), listener, options.ready_file))
    finally:
        if recorder is not None:
            recorder.flush(5.0)
            recorder.close()
        listener.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
