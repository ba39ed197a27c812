"""Jars are run only when they are what was pinned; the registry here is a small one of our own."""

import functools
import gc
import hashlib
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath

import pytest
from jgo.maven import _core

from schemas.errors import BrokerError
from streams.local.jars import Pin, ensure_jars, read_pins, sha256
from streams.settings import DEPLOY

GOOD = b"PK\x03\x04 a jar"
PATH = PurePosixPath("org/example/thing/1.0/thing-1.0.jar")
PIN = Pin(hashlib.sha256(GOOD).hexdigest(), PATH)

# The resolver leaves sockets of refused downloads to the garbage collector; they are collected before the next module.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


@pytest.fixture(autouse=True, scope="module")
def _collected() -> Iterator[None]:
    yield
    gc.collect()


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The directory that a Maven registry on this machine serves."""
    root = tmp_path / "registry"
    root.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(QuietHandler, directory=str(root)))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setitem(_core.DEFAULT_REMOTE_REPOS, "central", f"http://127.0.0.1:{server.server_port}")
    yield root
    server.shutdown()
    thread.join()
    server.server_close()


def _publish(registry: Path, content: bytes) -> None:
    (registry / PATH).parent.mkdir(parents=True)
    (registry / PATH).write_bytes(content)


def test_a_jar_is_fetched_once(registry: Path, tmp_path: Path) -> None:
    """The second start finds the jar in the cache and needs no registry."""
    _publish(registry, GOOD)
    said: list[str] = []
    cache = tmp_path / "cache"
    assert ensure_jars([PIN], cache, said.append) == [cache / PATH]
    (registry / PATH).unlink()
    assert ensure_jars([PIN], cache, said.append) == [cache / PATH]
    assert len(said) == 1
    assert sorted(path.name for path in cache.iterdir()) == [".lock", "org"]


def test_a_damaged_jar_in_the_cache_is_fetched_again(registry: Path, tmp_path: Path) -> None:
    """A download that was cut short heals itself."""
    _publish(registry, GOOD)
    jar = tmp_path / "cache" / PATH
    jar.parent.mkdir(parents=True)
    jar.write_bytes(GOOD[:3])
    ensure_jars([PIN], tmp_path / "cache")
    assert jar.read_bytes() == GOOD


def test_a_jar_that_is_not_the_pinned_one_is_refused(registry: Path, tmp_path: Path) -> None:
    """Other bytes under the right name are named in the error and never reach the cache."""
    _publish(registry, b"PK\x03\x04 another jar")
    with pytest.raises(BrokerError, match=rf"thing-1\.0\.jar .* but {PIN.digest} is pinned"):
        ensure_jars([PIN], tmp_path / "cache")
    assert not (tmp_path / "cache" / PATH).exists()


def test_a_registry_without_the_jar_is_one_clear_error(registry: Path, tmp_path: Path) -> None:
    """A jar that is not there names itself and the way out."""
    assert registry.is_dir()
    with pytest.raises(BrokerError, match=r"thing-1\.0\.jar could not be fetched .* HEADGATE_BOOTSTRAP_SERVERS"):
        ensure_jars([PIN], tmp_path / "cache")


def test_a_registry_that_does_not_answer_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a network the error says so."""
    monkeypatch.setitem(_core.DEFAULT_REMOTE_REPOS, "central", "http://127.0.0.1:9")
    with pytest.raises(BrokerError, match="check the network"):
        ensure_jars([PIN], tmp_path / "cache")


def test_concurrent_first_starts_share_one_cache(registry: Path, tmp_path: Path) -> None:
    """Four starts at once on an empty cache all end with the right jar, fetched once."""
    _publish(registry, GOOD)
    said: list[str] = []
    threads = [threading.Thread(target=ensure_jars, args=([PIN], tmp_path / "cache", said.append)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sha256(tmp_path / "cache" / PATH) == PIN.digest
    assert len(said) == 1


def test_a_cache_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    """A cache below a file is named in the error."""
    (tmp_path / "file").write_text("")
    with pytest.raises(BrokerError, match=r"the jar cache .*file/cache cannot be written"):
        ensure_jars([PIN], tmp_path / "file" / "cache")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# only a comment\n",
        "abc  org/example/thing/1.0/thing-1.0.jar\n",
        f"{'0' * 64}  /etc/passwd/x/y/z.jar\n",
        f"{'0' * 64}  org/../../../x.jar\n",
        f"{'0' * 64} org/example/thing/1.0/thing-1.0.jar\n",
        "\xff",
    ],
)
def test_a_list_of_pins_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    """A malformed list starts nothing."""
    (tmp_path / "pins").write_bytes(text.encode("latin-1"))
    with pytest.raises(BrokerError):
        read_pins(tmp_path / "pins")


def test_the_committed_pins_are_kafka_and_a_logger() -> None:
    """The list in deploy/ names Kafka 4.2.2, an SLF4J provider, and each jar once."""
    paths = [str(pin.path) for pin in read_pins(DEPLOY / "kafka-jars.sha256")]
    assert "org/apache/kafka/kafka_2.13/4.2.2/kafka_2.13-4.2.2.jar" in paths
    assert any("slf4j-simple" in path for path in paths)
    assert len(paths) == len(set(paths)) == 46
