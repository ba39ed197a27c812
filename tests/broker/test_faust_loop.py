"""The Faust loop on a real broker: what went in against what was counted, through every way a worker can fail."""

import random
import signal
import time
from collections.abc import Callable

import pytest
from confluent_kafka import Producer

from streams.kafka import topic_id
from streams.worker.watchdog import EXIT_STATUS
from tests.counting import PARTITIONS, Bench, wait_until

pytestmark = pytest.mark.broker


def test_ten_kills_at_any_moment_lose_nothing_and_count_nothing_twice(bench: Bench) -> None:
    """After ten SIGKILLs with work in flight each input is counted exactly once, in order, and its output exists."""
    dice = random.Random(20261121)
    bench.send_many(14_000)
    kills = 0
    while kills < 10:
        before = len(bench.outputs())
        worker = bench.start(milliseconds=0.5)
        wait_until(lambda seen=before: len(bench.outputs()) > seen, "the worker makes progress")
        time.sleep(dice.uniform(0.0, 0.9))
        in_flight = sum(bench.ends().values()) - sum(offset for offset in bench.committed().values() if offset > 0)
        assert in_flight > 0, "there is work that is not acknowledged"
        assert worker.poll() is None
        worker.kill()
        worker.wait()
        kills += 1
        bench.send_many(200)
    bench.start()
    bench.check()
    assert len(bench.outputs()) > sum(map(len, bench.sent.values())), "some work was in flight, and was repeated"


def test_a_second_worker_that_joins_leaves_and_rejoins_changes_no_count(bench: Bench) -> None:
    """Rebalances under load, graceful and not, leave each input counted once."""
    first = bench.start("w1", 0.2)
    bench.send_many(4000)
    wait_until(bench.outputs, "the first worker works")
    for leave in (signal.SIGTERM, signal.SIGKILL):
        second = bench.start("w2", 0.2)
        log = bench.logs / "w2.log"
        taken = log.read_text().count("partition taken") if log.exists() else 0
        while log.read_text().count("partition taken") == taken:
            bench.send_many(20)
            time.sleep(0.05)  # the rate at which work arrives
        bench.send_many(1000)
        second.send_signal(leave)
        second.wait(15)
    bench.send_many(500)
    bench.start("w2", 0.2)
    bench.send_many(500)
    bench.check()
    assert first.poll() is None


def test_a_worker_that_was_stopped_past_its_session_does_no_harm(bench: Bench) -> None:
    """A zombie that wakes after another has taken its partitions neither repeats nor hides a record."""
    zombie = bench.start("w1", 0.2)
    bench.send_many(3000)
    wait_until(bench.outputs, "the first worker works")
    zombie.send_signal(signal.SIGSTOP)
    stopped = time.monotonic()
    bench.start("w2", 0.2)
    bench.send_many(500)
    log = bench.logs / "w2.log"
    wait_until(lambda: log.exists() and "partition taken" in log.read_text(), "the other takes over")
    bench.send_many(500)
    wait_until(lambda: time.monotonic() - stopped > 8, "the session is over")
    zombie.send_signal(signal.SIGCONT)
    bench.send_many(2000)
    bench.check()


def test_a_topic_made_again_is_counted_from_its_beginning(bench: Bench, make_topic: Callable[..., str]) -> None:
    """Under a running worker and under a new one, a re-created topic meets no old state, and nothing of it is lost."""
    worker = bench.start()
    bench.send_many(500)
    bench.check()
    for running in (True, False):
        old = topic_id(bench.admin, bench.topic("in"))
        if not running:
            worker.kill()
            worker.wait()
        bench.admin.delete_topics([bench.topic("in")], operation_timeout=10)[bench.topic("in")].result(15)
        wait_until(lambda: bench.topic("in") not in bench.clients.reader().list_topics(timeout=5).topics, "it is gone")
        make_topic("in", PARTITIONS)
        assert topic_id(bench.admin, bench.topic("in")) != old
        bench.sent = {}
        bench.producer = bench.clients.producer()
        for number in range(700):
            bench.send(f"k{number % 7}", f"anew-{old}-{number}")
        if not running:
            bench.start()
        bench.settle()
        wait_until(lambda: {f"anew-{old}-{n}" for n in range(700)} <= {i for i, _ in bench.outputs()}, "all came out")  # noqa: B023


@pytest.mark.parametrize("codec", ["lz4", "zstd", "snappy", "gzip"])
def test_compressed_batches_are_read(bench: Bench, codec: str) -> None:
    """A producer's compression is nothing that stops a worker."""
    bench.producer = Producer(bench.clients.producer_config(linger_ms=20) | {"compression.type": codec})
    bench.start()
    bench.send_many(500)
    bench.check()


def test_sigterm_leaves_nothing_to_repeat(bench: Bench) -> None:
    """A graceful end within ten seconds saves and commits everything that was judged."""
    worker = bench.start()
    bench.send_many(2000)
    wait_until(lambda: len(bench.outputs()) == 2000, "all is judged")
    began = time.monotonic()
    worker.terminate()
    assert worker.wait(15) == 0
    assert time.monotonic() - began < 10
    assert bench.state() == bench.expected()
    assert bench.committed() == bench.ends()
    bench.start()
    bench.send_many(10)
    bench.check()
    assert len(bench.outputs()) == 2010, "nothing came out twice"


def test_a_lonely_record_is_saved_and_committed_within_two_seconds(bench: Bench) -> None:
    """A tail shorter than a batch is flushed by a timer."""
    bench.start()
    bench.send_many(1)
    wait_until(bench.outputs, "it is judged")
    wait_until(lambda: bench.state() == bench.expected(), "it is saved", 2.0)
    wait_until(lambda: bench.ends().items() <= bench.committed().items(), "it is committed", 3.0)


def test_two_workers_of_one_name_do_not_fight_for_ever(bench: Bench) -> None:
    """They take the partitions from each other until one ends and says why; each input still counts once."""
    two = [bench.start("w1", 0.2)]
    bench.send_many(500)
    wait_until(bench.outputs, "the first works")
    two.append(bench.start("w1", 0.2))
    bench.send_many(1000)
    ended = wait_until(lambda: [worker for worker in two if worker.poll() is not None], "one gives up")
    assert ended[0].returncode == EXIT_STATUS
    assert "does another worker bear the name w1" in (bench.logs / "w1.log").read_text()
    bench.send_many(500)
    for worker in two:
        worker.kill()
        worker.wait()
    bench.start("w1")
    bench.check()


def test_a_worker_may_run_again_in_the_same_process(bench: Bench) -> None:
    """Another policy is taken over by saving, and beginning anew."""
    worker = bench.start(times=2)
    bench.send_many(500)
    bench.check()
    worker.terminate()
    bench.send_many(500)
    bench.check()
    worker.terminate()
    assert worker.wait(15) == 0
    assert len(bench.outputs()) == 1000, "nothing came out twice"
