"""Small HTTP servers to put behind a real gateway."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

# Answers every request with its own name; prints its port once it listens.
_ECHO = """
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Echo(BaseHTTPRequestHandler):
    protocol_version, wbufsize = "HTTP/1.1", 65536
    def do_GET(self):
        self.rfile.read(int(self.headers.get("content-length") or 0))
        body = sys.argv[1].encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_POST = do_GET
    def log_message(self, *args): pass
server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
print(server.server_port, flush=True)
server.serve_forever()
"""


@dataclass
class Instance:
    """A server process that answers with its name."""

    name: str
    address: str
    process: subprocess.Popen[str]

    def kill(self) -> None:
        """End it at once, as a crash does."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def instances() -> Iterator[dict[str, Instance]]:
    """Run one instance of version 1 and two of version 2, each a process."""
    made: dict[str, Instance] = {}
    try:
        for name in ("1-a", "2-a", "2-b"):
            process = subprocess.Popen([sys.executable, "-c", _ECHO, name], stdout=subprocess.PIPE, text=True)
            assert process.stdout is not None
            made[name] = Instance(name, f"127.0.0.1:{process.stdout.readline().strip()}", process)
        yield made
    finally:
        for instance in made.values():
            instance.process.kill()
            instance.process.wait()
            assert instance.process.stdout is not None
            instance.process.stdout.close()


@pytest.fixture
def taken_port() -> Iterator[int]:
    """Hold a port on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        yield holder.getsockname()[1]
