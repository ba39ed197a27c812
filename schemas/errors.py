"""Every error that Headgate raises on purpose.

HeadgateError
├── SchemaError      bytes or values from outside that are not what they claim to be → dead letter
├── PolicyError      a policy, systems or settings document that cannot be used → refuse to start
├── KeyRefusedError  a key or signature that is malformed, weak or does not verify
├── LedgerError      the ledger contradicts itself or its signer → stop and say where
├── BrokerError      Kafka cannot be started or reached
└── EffectError      a target did not do, or did not show, what was asked

A *refusal* (too few approvals, wrong role, illegal transition) is an event, never an exception: it must be audited.
"""


class HeadgateError(Exception):
    """A failure whose message is one sentence an operator can act on."""


class SchemaError(HeadgateError):
    """Bytes or values from outside that are not what they claim to be."""


class PolicyError(HeadgateError):
    """A policy, systems or settings document that cannot be used."""


class KeyRefusedError(HeadgateError):
    """A key or signature that is malformed, weak or does not verify."""


class LedgerError(HeadgateError):
    """The ledger contradicts itself or its signer.

    Parameters
    ----------
    message
        What is wrong.
    index
        The first bad entry, where one is known.
    """

    def __init__(self, message: str, index: int | None = None) -> None:
        super().__init__(message if index is None else f"entry {index}: {message}")
        self.index = index


class BrokerError(HeadgateError):
    """Kafka cannot be started or reached."""


class EffectError(HeadgateError):
    """A target did not do, or did not show, what was asked.

    Parameters
    ----------
    message
        What happened.
    retryable
        Whether the same request may succeed later.
    """

    def __init__(self, message: str, *, retryable: bool) -> None:
        super().__init__(message)
        self.retryable = retryable
