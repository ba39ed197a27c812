"""Pages go out: signed, once, within a time limit, and what was not taken is said."""

import io
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from schemas.errors import EffectError, KeyRefusedError, PolicyError
from streams.oncall import signing
from streams.oncall.port import Page, Receiver, reach, send
from streams.oncall.receivers import load
from streams.oncall.terminal import TerminalReceiver
from streams.oncall.webhook import WebhookReceiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # that of the Standard Webhooks reference vector
NOW = 1_800_000_000
PAGE = Page(
    id="0" * 32,
    incident="inc-1",
    subject="",
    person="ada",
    title="data drift on shuttle",
    severity="sev2",
    important=True,
    step=0,
    round=0,
    at=NOW * 1000,
)


@dataclass
class Listener:
    """A real HTTP server that keeps what it was sent, and answers as it is told."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture(scope="module")
def server() -> Iterator[Listener]:
    """The server, in a thread of this process."""
    kept = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            kept.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            status = kept.answers.pop(0) if kept.answers else 204
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("location", f"{kept.url}/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as listening:
        kept.url = f"http://127.0.0.1:{listening.server_port}/page"
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield kept
        listening.shutdown()
        thread.join()


@pytest.fixture
def listener(server: Listener) -> Listener:
    """The server, with nothing kept from before."""
    server.answers.clear()
    server.got.clear()
    return server


def webhook(url: str, timeout: float = 5.0, secrets: tuple[str, ...] = (SECRET,)) -> WebhookReceiver:
    """Return a receiver at an address, with a clock that stands."""
    return WebhookReceiver("webhook", url, secrets, timeout, lambda: float(NOW))


def test_a_signature_is_that_of_the_reference_vector() -> None:
    """The published example of Standard Webhooks comes out, and verifies within its time only."""
    keys, body, at = (signing.secret_of(SECRET),), b'{"test": 2432232314}', 1614265330
    made = signing.headers(keys, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body)
    assert made[signing.SIGNATURE] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    signing.verify(keys, made, body, at + signing.TOLERANCE)
    for headers, content, now in (
        (made, body, at + signing.TOLERANCE + 1),
        (made, body + b" ", at),
        ({**made, signing.ID: "other"}, body, at),
        ({**made, signing.TIMESTAMP: "now"}, body, at),
        ({**made, signing.SIGNATURE: "v1,é"}, body, at),
    ):
        with pytest.raises(KeyRefusedError):
            signing.verify(keys, headers, content, now)


def test_a_page_arrives_signed_and_with_its_key_of_idempotency(listener: Listener) -> None:
    """A real server gets the page as JSON; both secrets verify while they are changed; the id is the same each time."""
    other = "whsec_" + "QUJD" * 8
    receiver = webhook(listener.url, secrets=(SECRET, other))
    assert receiver.send(PAGE).detail == "HTTP 204"
    receiver.send(PAGE)
    (headers, body), (again, _) = listener.got
    for secret in (SECRET, other):
        signing.verify((signing.secret_of(secret),), headers, body, NOW)
    assert headers["idempotency-key"] == headers[signing.ID] == again[signing.ID] == PAGE.id
    said = json.loads(body)
    assert (said["type"], said["timestamp"]) == ("headgate.page", "2027-01-15T08:00:00.000+00:00")
    assert (said["data"]["person"], said["data"]["title"]) == ("ada", "data drift on shuttle")
    assert said["data"]["drill"] is False


def test_a_page_of_a_drill_says_so_before_anything_else(listener: Listener) -> None:
    """In the first word on a terminal, and to a machine in the title and in a field of its own."""
    page, lines = replace(PAGE, drill=True), io.StringIO()
    webhook(listener.url).send(page)
    said = json.loads(listener.got[0][1])["data"]
    assert (said["drill"], said["title"]) == (True, "DRILL: data drift on shuttle")
    TerminalReceiver(stream=lines).send(page)
    assert lines.getvalue().startswith("DRILL PAGE ")


@pytest.mark.parametrize(
    ("status", "retryable"), [(500, True), (503, True), (429, True), (400, False), (410, False), (302, False)]
)
def test_an_answer_says_whether_to_try_again_and_a_redirect_is_not_followed(
    listener: Listener, status: int, *, retryable: bool
) -> None:
    """Overload and faults may pass; a refusal and a redirect will not, and nothing is sent elsewhere."""
    listener.answers.append(status)
    with pytest.raises(EffectError, match=f"HTTP {status}") as failed:
        webhook(listener.url).send(PAGE)
    assert (failed.value.retryable, len(listener.got)) == (retryable, 1)
    assert SECRET not in str(failed.value)


def test_a_server_that_says_nothing_or_is_not_there_costs_no_more_than_the_time_limit() -> None:
    """A listener that never answers, and a port that nobody listens on: both may be tried again."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(EffectError, match=r"within 0\.2 s") as failed:
            webhook(f"http://127.0.0.1:{port}/", timeout=0.2).send(PAGE)
    assert failed.value.retryable
    with pytest.raises(EffectError, match="cannot be reached") as failed:
        webhook(f"http://127.0.0.1:{port}/").send(PAGE)
    assert failed.value.retryable


def test_a_page_is_tried_again_as_often_as_the_caller_says(listener: Listener) -> None:
    """Two faults and a success: three posts with the caller's waits between them; a refusal is not tried again."""
    waited: list[float] = []
    listener.answers.extend([503, 500])
    send(webhook(listener.url), PAGE, (1.0, 4.0), waited.append)
    assert (waited, len(listener.got)) == ([1.0, 4.0], 3)
    listener.answers.extend([503, 400])
    with pytest.raises(EffectError, match="HTTP 400"):
        send(webhook(listener.url), PAGE, (1.0, 4.0), waited.append)
    assert len(listener.got) == 5


def test_the_next_contact_is_tried_when_one_does_not_take_the_page(listener: Listener) -> None:
    """The first contact that takes it ends it; where none does, the sentence says what each said."""
    listener.answers.extend([400, 400])
    line = io.StringIO()
    receivers: dict[str, Receiver] = {"webhook": webhook(listener.url), "terminal": TerminalReceiver(stream=line)}
    assert reach(receivers, ("pager", "webhook", "terminal"), PAGE, ()).receiver == "terminal"
    with pytest.raises(EffectError, match=r"pager: no such receiver .*; webhook: 127\.0\.0\.1 answered HTTP 400"):
        reach(receivers, ("pager", "webhook"), PAGE, ())
    with pytest.raises(EffectError, match="there are no contacts"):
        reach(receivers, (), PAGE)


def test_the_terminal_says_it_in_one_clean_line() -> None:
    """Control characters of a title cannot rule the terminal; a closed one is an error that will not pass."""
    line = io.StringIO()
    receiver = TerminalReceiver(stream=line)
    receiver.send(replace(PAGE, title="\x1b[2Jdrift\nall is well", subject="clock:gdpr_33"))
    said = "PAGE 2027-01-15 08:00:00Z ada: SEV2 ?[2Jdrift?all is well (inc-1 clock:gdpr_33)\n"
    assert line.getvalue() == said
    line.close()
    with pytest.raises(EffectError, match="cannot be written") as failed:
        receiver.send(PAGE)
    assert not failed.value.retryable


@pytest.mark.parametrize(
    "url",
    ["http://example.org/", "https://", "ftp://example.org/", "https://user:pw@example.org/", "https://[::1/", "x"],
)
def test_an_address_that_would_give_pages_away_is_refused(url: str) -> None:
    """Plain http to elsewhere, a user in the address, no host: none is used."""
    with pytest.raises(PolicyError, match="address"):
        webhook(url)


@pytest.mark.parametrize(
    "secret", ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_####", "whsec_QUJD", "whsec_" + "A" * 200]
)
def test_a_weak_or_malformed_secret_is_refused(secret: str) -> None:
    """No prefix, no Base64, too short, too long: each is refused without showing the secret."""
    with pytest.raises(KeyRefusedError) as refused:
        webhook("https://example.org/", secrets=(secret,))
    assert secret not in str(refused.value)


def test_receivers_are_set_up_from_a_file_and_the_terminal_is_always_there(tmp_path: Path, listener: Listener) -> None:
    """Without a file there is the terminal; with one, webhooks whose secrets stand in files of their own."""
    assert list(load(None)) == ["terminal"]
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    declared = f'version = 1\nwebhooks.chat = {{ url = "{listener.url}", secret_files = ["secret"] }}\n'
    file = tmp_path / "receivers.toml"
    file.write_text(declared)
    found = load(file)
    assert found["chat"].send(PAGE).receiver == "chat"
    for text, says in (
        (declared.replace("chat", "terminal"), "another name"),
        (declared.replace('"secret"', '"other"'), "cannot be read"),
        (declared.replace('["secret"]', "[]"), "secret_files"),
    ):
        file.write_text(text)
        with pytest.raises(PolicyError, match=says):
            load(file)
    with pytest.raises(PolicyError, match="needs a secret"):
        webhook(listener.url, secrets=())
