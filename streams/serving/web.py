"""A model server's web side: bodies of bounded size, and one uvicorn on as many ports as there are instances."""

import json
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse

from schemas.errors import SchemaError
from streams.serving.files import replace
from streams.serving.protocol import MAX_BODY

LOOPBACK = "127.0.0.1"


async def read_body(request: Request) -> Any:
    """Read a JSON body of bounded size; SchemaError where it is none."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise SchemaError(f"the body is over {MAX_BODY} bytes")
    try:
        return json.loads(bytes(body))
    except (ValueError, RecursionError) as error:
        raise SchemaError("the body is not JSON") from error


async def refuse(_: Request, error: Exception) -> JSONResponse:
    """Answer 400 with the reason."""
    return JSONResponse({"error": str(error)}, 400)


def end_on_signals() -> None:
    """End this process by SystemExit on SIGTERM and SIGINT.

    Uvicorn raises the signal again once it has shut down: without this, what stands in a `finally` would never run.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))


def listen(port: int = 0) -> socket.socket:
    """Open a port on loopback, any free one for 0; OSError where it cannot be had.

    Its protocol is named, because asyncio switches Nagle's algorithm off on none other: an answer's body would wait
    40 ms for its headers to be acknowledged.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
        listener.listen(256)
    except OSError:
        listener.close()
        raise
    return listener


async def serve(app: Starlette, listeners: Sequence[socket.socket], ready_file: Path | None, said: str) -> None:
    """Serve on these sockets until SIGTERM or SIGINT; `said` goes to `ready_file`, now that they are open."""
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=3,
        timeout_keep_alive=3600,  # the gateway keeps connections; closing one under it costs a retry
    )
    if ready_file is not None:
        replace(ready_file, said)
    await uvicorn.Server(config).serve(sockets=list(listeners))
