"""A model behind HTTP for tests: a real server on loopback whose answers can be changed."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


def honest(body: Any) -> Any:
    """Answer as the first model does."""
    return {"prediction": "yes" if body["income"] > 50 else "no", "score": body["income"] / 100}


def exchanged(body: Any) -> Any:
    """Answer as another model does."""
    return {"prediction": "yes" if body["income"] < 50 else "no", "score": body["income"] / 90}


class Model:
    """The server; `answer` may be replaced at any time, and gives JSON, or bytes that are sent as they are."""

    def __init__(self, answer: Callable[[Any], Any] = honest) -> None:
        self.answer = answer
        self.asked: list[tuple[str, Any]] = []
        model = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                model.asked.append((self.headers.get("authorization", ""), body))
                given = model.answer(body)
                data = given if isinstance(given, bytes) else json.dumps(given).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}/predict"
