"""Pages to a web address: signed, within a time limit, never following a redirect."""

import asyncio
import ipaddress
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from urllib.parse import SplitResult, urlsplit

import httpx

from schemas.errors import EffectError, PolicyError
from streams.clock import machine_seconds
from streams.oncall.port import Page, Receipt
from streams.oncall.signing import headers, secret_of

_AGAIN = frozenset({408, 425, 429})
KIND = "headgate.page"


class WebhookReceiver:
    """A web address that is told of pages.

    Parameters
    ----------
    name
        What the on-call document calls it.
    url
        Where to post; https, or http on this machine.
    secrets
        ``whsec_…``; several while they are changed, the receiver knowing at least one.
    timeout
        Seconds for everything, from the look-up of the name to the status of the answer.
    now
        The clock, in seconds.

    Raises
    ------
    PolicyError
        The address cannot be used.
    KeyRefusedError
        A secret cannot be used.
    """

    def __init__(
        self,
        name: str,
        url: str,
        secrets: Sequence[str],
        timeout: float = 10.0,
        now: Callable[[], float] = machine_seconds,
    ) -> None:
        self._name = name
        self._url = url
        self._host = _checked(url).hostname or ""
        self._keys = tuple(secret_of(secret) for secret in secrets)
        if not self._keys:
            raise PolicyError(f"webhook {name} needs a secret, so that its receiver can tell our pages from others'")
        self._timeout = timeout
        self._now = now
        self._tls = httpx.create_ssl_context(trust_env=False)

    @property
    def name(self) -> str:
        """The name that the on-call document knows."""
        return self._name

    def send(self, page: Page) -> Receipt:
        """Post a page once; EffectError says whether trying again may help. The answer's body is never read."""
        body = content(page)
        try:
            status = asyncio.run(self._post(page, body))
        except TimeoutError:
            raise EffectError(f"{self._host} did not answer within {self._timeout:g} s", retryable=True) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            # What the other side says is not repeated: it may hold anything.
            raise EffectError(f"{self._host} cannot be reached ({type(error).__name__})", retryable=True) from None
        if 200 <= status < 300:
            return Receipt(receiver=self._name, page=page.id, detail=f"HTTP {status}")
        if 300 <= status < 400:
            raise EffectError(f"{self._host} answered HTTP {status}, and redirects are not followed", retryable=False)
        again = status in _AGAIN or status >= 500
        raise EffectError(f"{self._host} answered HTTP {status}", retryable=again)

    async def _post(self, page: Page, body: bytes) -> int:
        signed = headers(self._keys, page.id, int(self._now()), body)
        sent = {**signed, "content-type": "application/json", "idempotency-key": page.id, "user-agent": "headgate"}
        async with (
            asyncio.timeout(self._timeout),
            httpx.AsyncClient(
                timeout=self._timeout, follow_redirects=False, trust_env=False, verify=self._tls
            ) as client,
            client.stream("POST", self._url, content=body, headers=sent) as answer,
        ):
            return answer.status_code


def content(page: Page) -> bytes:
    """Return the body of a page: JSON with type, timestamp and data, as Standard Webhooks asks."""
    data = {
        "incident": page.incident,
        "subject": page.subject,
        "person": page.person,
        "title": page.text,
        "drill": page.drill,
        "severity": page.severity,
        "important": page.important,
        "step": page.step,
        "round": page.round,
    }
    at = datetime.fromtimestamp(page.at / 1000, UTC).isoformat(timespec="milliseconds")
    document = {"type": KIND, "timestamp": at, "id": page.id, "data": data}
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()


def _checked(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise PolicyError("a webhook's address is no URL; write https://host/path") from None
    if parts.scheme == "https" and host and not parts.username:
        return parts
    if parts.scheme == "http" and not parts.username and _here(host):
        return parts
    raise PolicyError(
        f"a webhook's address is https://host/path without a user, or http on this machine; its host is {host[:60]!r}"
    )


def _here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
