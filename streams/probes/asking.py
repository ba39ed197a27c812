"""One run of a probe set against a model's HTTP endpoint: every answer bounded in time and bytes, none trusted."""

import json
import statistics
import time
from collections.abc import Mapping
from typing import Any, Self

import httpx
import structlog

from agents import fingerprint
from schemas.probing import ProbeSet
from schemas.telemetry import ProbeResult

MAX_ANSWER = 256 * 1024
MAX_SILENCE = 3
"""Probes in a row without an answer, after which the others are not asked: the endpoint is down."""

_LOG = structlog.get_logger("probe")


class Asker:
    """Sends probes, one after the other over one connection; redirects are not followed.

    Parameters
    ----------
    endpoint
        The http or https URL.
    timeout
        Seconds until an answer is given up.
    token
        Sent as bearer token, if there is one.
    """

    def __init__(self, endpoint: str, timeout: float, token: str | None = None) -> None:
        self._endpoint = endpoint
        self._timeout = timeout
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(timeout=timeout, headers=headers, follow_redirects=False, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def run(self, probes: ProbeSet, digest: str, version: str, at: int) -> ProbeResult:
        """Ask every probe and return how they were answered; an answer that did not come is empty."""
        exact: list[str] = []
        coarse: list[str] = []
        latency: list[float] = []
        for number, body in enumerate(probes.probes):
            if number >= MAX_SILENCE and not any(exact[-MAX_SILENCE:]):
                exact.append("")
                coarse.append("")
                continue
            begun = time.monotonic()
            try:
                answer = fingerprint.at(self._ask(body), probes.output)
            except (httpx.HTTPError, ValueError, LookupError, RecursionError) as error:
                # What the other side says is not repeated: it may hold anything.
                _LOG.warning("probe unanswered", model=probes.model, probe=number, reason=type(error).__name__)
                exact.append("")
                coarse.append("")
                continue
            latency.append((time.monotonic() - begun) * 1000)
            exact.append(fingerprint.exact(answer))
            coarse.append(fingerprint.coarse(answer))
        return ProbeResult(
            model=probes.model,
            version=version,
            at=at,
            probe_set=digest,
            fingerprint=fingerprint.whole(exact),
            exact=tuple(exact),
            coarse=tuple(coarse),
            latency_ms=statistics.median(latency) if latency else 0.0,
        )

    def _ask(self, body: Mapping[str, Any]) -> Any:
        """Return the answer's JSON; ValueError where it is too long or slow, httpx.HTTPError where there is none."""
        deadline = time.monotonic() + self._timeout
        with self._client.stream("POST", self._endpoint, json=dict(body)) as response:
            response.raise_for_status()
            if response.is_redirect:
                raise ValueError("a redirect is no answer")
            content = bytearray()
            for part in response.iter_bytes():
                content += part
                if len(content) > MAX_ANSWER or time.monotonic() > deadline:
                    raise ValueError("the answer is too long or too slow")
        return json.loads(bytes(content))
