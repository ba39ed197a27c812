"""A program that runs beside us and never outlives us, and what it takes: a directory, a port, room on the disk."""

import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from schemas.errors import BrokerError

STOP_WITHIN = 15.0
_FLOOR_BYTES = 256 * 1024 * 1024
# The watchdog reads a pipe that only the owner holds: end of file means that the owner is gone, however it went.
_WATCHDOG = """
read -r _
[ "$(readlink "/proc/$1/exe" 2>/dev/null || echo "$2")" = "$2" ] || exit 0
kill -TERM "$1" 2>/dev/null || exit 0
n=0
while [ $n -lt 10 ] && kill -0 "$1" 2>/dev/null; do sleep 1; n=$((n + 1)); done
kill -KILL "$1" 2>/dev/null
"""


class Child:
    """A running program, its output appended to a file, ended by `stop` or by the end of this process.

    Parameters
    ----------
    command
        The program by its absolute path, and its arguments.
    log
        The file for what it prints.
    environ
        Its environment; None passes ours on.
    keep_open
        File descriptors that it inherits, for instance a lock that must last as long as it runs.
    """

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        environ: Mapping[str, str] | None = None,
        keep_open: Sequence[int] = (),
    ) -> None:
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environ,
                start_new_session=True,  # an interrupt at the terminal is the owner's to handle
                pass_fds=keep_open,
            )
        self._watchdog = subprocess.Popen(
            ["/bin/sh", "-c", _WATCHDOG, "watchdog", str(self.process.pid), os.path.realpath(command[0])],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    def alive(self) -> bool:
        """Whether it runs."""
        return self.process.poll() is None

    def stop(self, within: float = STOP_WITHIN) -> int:
        """Ask it to end, kill it when it has not ended within so many seconds, and return its exit status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.process.kill()
        return self._reap()

    def kill(self) -> int:
        """End it as a power cut would (SIGKILL), and return its exit status."""
        self.process.kill()
        return self._reap()

    def _reap(self) -> int:
        status = self.process.wait()
        self._watchdog.kill()
        self._watchdog.wait()
        if self._watchdog.stdin is not None:
            self._watchdog.stdin.close()
        return status


def require_space(directory: Path) -> None:
    """Make the directory; raise OSError where it cannot be written, BrokerError where the disk is nearly full."""
    directory.mkdir(parents=True, exist_ok=True)
    probe = directory / f".probe-{os.getpid()}"
    try:
        probe.write_bytes(b"\0" * 65536)
    finally:
        probe.unlink(missing_ok=True)
    free = shutil.disk_usage(directory).free
    if free < _FLOOR_BYTES:
        raise BrokerError(
            f"the disk of {directory} has {free >> 20} MiB left and {_FLOOR_BYTES >> 20} are needed; "
            "make room, or set HEADGATE_VAR to a directory elsewhere."
        )


def take_directory(directory: Path) -> int:
    """Lock the directory and return the descriptor that holds the lock; BrokerError where a live process has it.

    The lock is the kernel's and ends with its last holder, so a stale file means nothing.
    """
    descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + STOP_WITHIN
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = _owner(descriptor)
            # An owner that was killed leaves a child that its watchdog is ending: worth waiting for.
            if _runs(owner) or time.monotonic() > deadline:
                os.close(descriptor)
                raise BrokerError(
                    f"another broker (process {owner}) already runs on {directory}; "
                    "stop it, or set HEADGATE_VAR to another directory."
                ) from None
            time.sleep(0.1)
        else:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
            return descriptor


def choose_port(asked: int | None = None, remembered: Path | None = None, avoid: int = 0) -> int:
    """Return a port of 127.0.0.1 that is free: the one asked for, else the one used last, else any.

    Raises BrokerError where the one asked for is taken. `remembered` is the file that keeps the choice.
    """
    if asked:
        if not _free(asked):
            raise BrokerError(f"port {asked} on 127.0.0.1 is taken; choose another with --port, or leave it out.")
        candidates = [asked]
    else:
        candidates = [20000 + secrets.randbelow(12000) for _ in range(200)]  # below what outgoing calls use
        if remembered is not None and remembered.exists() and (text := remembered.read_text()).isdigit():
            candidates.insert(0, min(int(text), 65535))  # clients that reconnect find it where it was
    port = next((port for port in candidates if port != avoid and _free(port)), None)
    if port is None:
        raise BrokerError("no free port was found on 127.0.0.1 between 20000 and 32000.")
    if remembered is not None:
        remembered.write_text(str(port))
    return port


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _owner(descriptor: int) -> int:
    try:
        return int(os.pread(descriptor, 20, 0))
    except ValueError:
        return 0


def _runs(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
