"""The one factory of Kafka producers, and how every client of Kafka connects and signs in."""

import asyncio
import ssl
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias, cast

from aiokafka import AIOKafkaProducer, conn
from aiokafka.errors import (
    KafkaConnectionError,
    ProducerClosed,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.helpers import create_ssl_context

from services.settings import Misconfigured, Settings

Batches: TypeAlias = dict[Any, deque[Any]]
BATCH_BYTES: Final = 256 * 1024
"""Before compression. A single larger record still goes, alone in its batch."""
_REQUEST_MS: Final = 10_000
_CLOSING_SECONDS: Final = 1.0
_connected: Final = cast("Callable[..., Awaitable[conn.AIOKafkaConnection]]", conn.create_conn)


def connection(settings: Settings) -> dict[str, Any]:
    """Arguments for any client of aiokafka: servers, protocol, certificates, name and password."""
    encrypted = settings.kafka_security_protocol.endswith("SSL")
    password = settings.kafka_sasl_password
    return {
        "bootstrap_servers": settings.bootstrap(),
        "security_protocol": settings.kafka_security_protocol,
        "ssl_context": create_ssl_context(cafile=settings.kafka_ssl_cafile) if encrypted else None,
        "sasl_mechanism": settings.kafka_sasl_mechanism or "PLAIN",
        "sasl_plain_username": settings.kafka_sasl_username,
        "sasl_plain_password": None if password is None else password.get_secret_value(),
    }


async def refusal(settings: Settings) -> Misconfigured | None:
    """Why no bootstrap server lets us in; None when they are away. aiokafka tells it only to its log."""
    given = connection(settings)
    for server in given.pop("bootstrap_servers"):
        host, _, port = server.rpartition(":")
        try:
            (await _connected(host.strip("[]"), int(port), request_timeout_ms=_REQUEST_MS, **given)).close()
        except ssl.SSLCertVerificationError as error:
            return Misconfigured(
                f"the certificate of Kafka at {server} is not trusted ({error.verify_message}): set KAFKA_SSL_CAFILE "
                "to the certificate of the authority that signed it"
            )
        except (SaslAuthenticationFailed, UnsupportedSaslMechanismError) as error:
            return Misconfigured(
                f"Kafka at {server} does not let {settings.kafka_sasl_username} in ({error}): check "
                "KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD"
            )
        except (ssl.SSLError, KafkaConnectionError) as error:
            return Misconfigured(
                f"Kafka at {server} does not speak {settings.kafka_security_protocol} ({error}): check "
                "KAFKA_SECURITY_PROTOCOL, and the port in KAFKA_BOOTSTRAP_SERVERS"
            )
        except (OSError, TimeoutError):
            continue
    return None


def producer(settings: Settings, *, client_id: str, largest_bytes: int = 1024 * 1024) -> AIOKafkaProducer:
    """A producer, not yet started, that loses and doubles nothing while it lives.

    After any error of a send use `abandon` and make a new one: an idempotent producer of aiokafka may refuse everything
    for ever after a batch that failed (OutOfOrderSequenceNumber).
    """
    return AIOKafkaProducer(
        **connection(settings),
        client_id=client_id,
        enable_idempotence=True,
        acks="all",
        compression_type="zstd",
        linger_ms=0,
        max_batch_size=min(BATCH_BYTES, largest_bytes),
        max_request_size=largest_bytes,
        request_timeout_ms=_REQUEST_MS,
        metadata_max_age_ms=30_000,
    )


async def abandon(given: AIOKafkaProducer) -> None:
    """Stop a producer, also when its broker is away; what it has not sent by then is given up."""
    try:
        async with asyncio.timeout(_CLOSING_SECONDS):
            await given.stop()
    except TimeoutError:
        # aiokafka would wait for the broker: fail what is queued, then cut the connections under what is on its way.
        queued = given._message_accumulator  # noqa: SLF001 - no public way
        queued.fail_all(ProducerClosed())
        # Nobody waits for their turn any more, and asyncio would complain that nobody asked how it ended.
        turns = [batch._drain_waiter for batches in cast("Batches", queued._batches).values() for batch in batches]  # noqa: SLF001
        _ = [turn.exception() for turn in turns if turn.done()]
        task = given._sender.sender_task  # noqa: SLF001 - the same
        if task is not None:
            task.cancel()
        await given.client.close()
        if task is not None:
            await asyncio.wait([task], timeout=_CLOSING_SECONDS)
