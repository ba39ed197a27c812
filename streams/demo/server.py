"""One instance of one version of the demonstration's model: ``python -m streams.demo.server --version 2 …``."""

import argparse
import asyncio
import sys
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from schemas.errors import HeadgateError, SchemaError
from streams.demo.catalogue import load
from streams.demo.faults import SLOW_BY, Fault, distort, watched
from streams.demo.inference import answer, read_question
from streams.demo.models import CLASSES, MODEL, SENSORS, Classifier
from streams.serving.files import Watched
from streams.serving.protocol import read_labels
from streams.serving.web import end_on_signals, listen, read_body, refuse, serve


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

    def __init__(
        self, version: str, classifier: Classifier, fault: Watched[Fault], telemetry: Telemetry | None
    ) -> None:
        self._version = version
        self._classifier = classifier
        self._fault = fault
        self._telemetry = telemetry

    async def infer(self, request: Request) -> JSONResponse:
        """Answer ``POST /v2/models/shuttle/infer``."""
        began = perf_counter()
        question = read_question(await read_body(request))
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
        told = read_labels(await read_body(request))
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
            exception_handlers={SchemaError: refuse},
        )


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
        listener = listen(options.port)
    except HeadgateError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the log file of this process
        return 1
    except OSError as error:
        print(f"port {options.port} cannot be had: {error.strerror}", file=sys.stderr)  # noqa: T201
        return 1
    end_on_signals()
    recorder = _recorder(options)
    try:
        server = ModelServer(options.version, classifier, watched(options.fault_file), recorder)
        asyncio.run(serve(server.app(), [listener], options.ready_file, str(listener.getsockname()[1])))
    finally:
        if recorder is not None:
            recorder.flush(5.0)
            recorder.close()
        listener.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
