"""What all tests share: a broker for the session, a ledger for each test, the published data, and no silent skip."""

import fnmatch
import os
import secrets
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from schemas.errors import BrokerError, PolicyError
from streams.kafka import Clients, topic_id
from streams.local.broker import Broker
from streams.settings import PREFIX, Settings, load_settings

ROOT = Path(__file__).resolve().parents[1]


class RunningBroker(Protocol):
    """What every kind of broker tells a test."""

    @property
    def bootstrap(self) -> str:
        """The address for clients."""


class YourBroker:
    """A broker that somebody else runs."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap


def data_directory() -> Path:
    """Return where the published test data is looked for."""
    return load_settings().test_data or ROOT.parent / "shared" / "data"


def _embedded() -> bool:
    settings = load_settings()
    return settings.bootstrap_servers is None and settings.test_broker == "embedded"


CONDITIONS: dict[str, Callable[[], bool]] = {
    "test-data-absent": lambda: not data_directory().is_dir(),
    "broker-not-embedded": lambda: not _embedded(),
}


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBroker]:
    """One Kafka for the session: ours by default, Docker's or yours where the settings say so."""
    settings = load_settings()
    if settings.bootstrap_servers is not None:
        yield YourBroker(settings.bootstrap_servers)
    elif settings.test_broker == "docker":
        from testcontainers.kafka import KafkaContainer

        with KafkaContainer("confluentinc/cp-kafka:8.0.0").with_kraft() as container:
            yield YourBroker(container.get_bootstrap_server())
    else:
        with Broker(tmp_path_factory.mktemp("broker"), cache=settings.cache) as started:
            yield started


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[Broker]:
    """A Kafka of the test's own, running, for tests that stop, kill or fill it."""
    if not _embedded():
        pytest.skip("not run: this broker is not ours to stop")
    with Broker(tmp_path / "own-broker", cache=load_settings().cache) as started:
        yield started


@pytest.fixture
def ledger_name() -> str:
    """A ledger and topic prefix that no other test has, on whichever broker."""
    return f"t-{secrets.token_hex(5)}"


@pytest.fixture
def settings(broker: RunningBroker, ledger_name: str, tmp_path: Path) -> Settings:
    """Settings for one test: the session's broker, a ledger of its own, state in the test's directory."""
    given = {"bootstrap_servers": broker.bootstrap, "ledger": ledger_name, "var": tmp_path / "var"}
    return Settings.model_validate(given)


@pytest.fixture
def environ(settings: Settings) -> dict[str, str]:
    """The environment for a process of this test: ours, with these settings and no others."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return kept | {
        "HEADGATE_BOOTSTRAP_SERVERS": str(settings.bootstrap_servers),
        "HEADGATE_LEDGER": settings.ledger,
        "HEADGATE_VAR": str(settings.var),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "sdk")]),
    }


@pytest.fixture
def clients(settings: Settings) -> Clients:
    """The factory of Kafka clients for this test's broker."""
    return Clients(settings)


@pytest.fixture
def make_topic(clients: Clients, ledger_name: str) -> Callable[..., str]:
    """Create a topic of this test's own and return its name; `make_topic("words", partitions=4)`."""
    admin: AdminClient = clients.admin()

    def make(name: str, partitions: int = 1, **config: str) -> str:
        topic = f"{ledger_name}.{name}.v1"
        wanted = NewTopic(topic, num_partitions=partitions, replication_factor=1, config=config)
        admin.create_topics([wanted], operation_timeout=15)[topic].result(20)
        deadline = time.monotonic() + 15
        while True:  # the controller has it; the broker hears of it a moment later
            try:
                topic_id(admin, topic)
            except BrokerError:
                assert time.monotonic() < deadline, f"{topic} was created and did not appear"
            else:
                return topic

    return make


@pytest.fixture(scope="session")
def data() -> Path:
    """The directory of published test vectors; a test that needs it is reported as not run where it is absent."""
    directory = data_directory()
    if not directory.is_dir():
        if load_settings().test_data is not None:
            pytest.fail(f"HEADGATE_TEST_DATA names {directory}, which is no directory")
        pytest.skip("not run: the published test data is absent; set HEADGATE_TEST_DATA to a copy")
    return directory


class NotRun:
    """Watches for skips that nobody permitted, and for a complete run that never touched a broker."""

    def __init__(self, permits: list[dict[str, str]], *, complete: bool) -> None:
        self.complaints: list[str] = []
        self._permits = permits
        self._complete = complete
        self._broker_tests = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note the skip, or count the test that used a broker."""
        if report.skipped and not hasattr(report, "wasxfail"):
            self._judge(report.nodeid, report.longrepr)
        if report.passed and report.when == "call" and "broker" in report.keywords:
            self._broker_tests += 1

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a module that skipped itself."""
        if report.skipped:
            self._judge(report.nodeid, report.longrepr)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail the session where there is a complaint."""
        if self._complete and not self._broker_tests:
            self.complaints.append("this was to be the complete run, and no test on a broker passed")
        if self.complaints and session.exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what was not run without permission."""
        for complaint in self.complaints:
            terminalreporter.write_line(f"NOT RUN: {complaint}", red=True)

    def _judge(self, test: str, longrepr: object) -> None:
        said = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)
        reason = str(said).removeprefix("Skipped: ")
        if not any(_permits(entry, test, reason) for entry in self._permits):
            self.complaints.append(f"{test} was skipped ({reason}), which tests/not-run.toml does not permit")


def _permits(entry: dict[str, str], test: str, reason: str) -> bool:
    matches = fnmatch.fnmatch(test, entry["tests"]) and reason.startswith(entry["says"])
    return matches and CONDITIONS[entry["when"]]()


def pytest_configure(config: pytest.Config) -> None:
    """Refuse an unknown setting, and put the watch over skips in place."""
    try:
        complete = load_settings().test_complete
    except PolicyError as error:
        raise pytest.UsageError(str(error)) from error
    permits = tomllib.loads((Path(__file__).parent / "not-run.toml").read_text("utf-8")).get("permitted", [])
    config.pluginmanager.register(NotRun(permits, complete=complete), "headgate-not-run")
