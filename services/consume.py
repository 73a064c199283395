"""The only place that subscribes to Kafka: whole batches, raw, positions in PostgreSQL instead of committed offsets."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Final, TypeAlias

import psycopg
import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import FAKE_CONSUMER, KafkaMessage
from faststream.kafka.subscriber.usecase import BatchSubscriber
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512
from psycopg_pool import PoolTimeout

from services.produce import connection
from services.settings import Misconfigured, Settings

Records: TypeAlias = Sequence[ConsumerRecord[bytes, bytes]]
Hints: TypeAlias = Callable[[Collection[TopicPartition]], Awaitable[Mapping[TopicPartition, int]]]

_POLL_MS: Final = 10
_LARGEST_BATCH: Final = 5000
_FETCH_BYTES: Final = 4 * 1024 * 1024
_SESSION_MS: Final = 30_000
_METADATA_MS: Final = 10_000
_GRACE_SECONDS: Final = 10.0
_RETRY_SECONDS: Final = 0.2
_SASL: Final = {"PLAIN": SASLPlaintext, "SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}
_log: Final = structlog.get_logger()


class Subscription:
    """A static member of a consumer group. Nothing is ever committed to Kafka: `hints` says where to go on.

    `take` is given the records of one poll, in order within each partition, and the next poll waits for it. It must
    not raise. `hints` names the offset to go on from where it is known; other partitions begin with their first record.
    A wrong hint does no harm: `take` compares positions.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        group: str,
        member: str,
        topics: Sequence[str],
        take: Callable[[Records], Awaitable[None]],
        hints: Hints,
    ) -> None:
        """`topics` are whole names. `member` names one living process of the group and survives its restarts."""
        self._broker: Final = _broker(settings, client_id=member)
        self._take: Final = take
        self.subscriber: Final[BatchSubscriber] = self._broker.subscriber(
            *topics,
            batch=True,
            group_id=group,
            group_instance_id=member,
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.MANUAL,
            batch_timeout_ms=_POLL_MS,
            max_records=_LARGEST_BATCH,
            max_partition_fetch_bytes=_FETCH_BYTES,
            session_timeout_ms=_SESSION_MS,
            rebalance_timeout_ms=_SESSION_MS,
            listener=_PausingListener(self, hints),
            parser=_unparsed,
            decoder=_undecoded,
            no_reply=True,
        )
        self.subscriber(self._handle)

    async def start(self) -> None:
        """Join the group.

        Raises:
            aiokafka.errors.KafkaError: the broker is away.
        """
        await self._broker.start()

    async def stop(self) -> None:
        """Wait for the batch at hand. The membership stays for a while: a restart gets its partitions back."""
        await self._broker.stop()

    @property
    def consumer(self) -> AIOKafkaConsumer | None:
        """The client below; None before the start."""
        return self.subscriber.consumer

    def assigned(self) -> int:
        """How many partitions this member reads."""
        return 0 if self.consumer is None else len(self.consumer.assignment())

    async def _handle(self, records: Any) -> None:
        await self._take(records)


class _PausingListener(ConsumerRebalanceListener):
    def __init__(self, subscription: Subscription, hints: Hints) -> None:
        self._subscription: Final = subscription
        self._hints: Final = hints

    async def on_partitions_revoked(  # pyright: ignore[reportIncompatibleMethodOverride] - may be async, says aiokafka
        self, revoked: set[TopicPartition]
    ) -> None:
        """A batch at hand may still finish: its positions are compared and swapped, so only one of two owners wins."""

    async def on_partitions_assigned(  # pyright: ignore[reportIncompatibleMethodOverride] - the same
        self, assigned: set[TopicPartition]
    ) -> None:
        """Go to where the read models are."""
        consumer = self._subscription.consumer
        if consumer is None or not assigned:
            return
        # First and synchronous: fetching goes on while a listener waits.
        consumer.pause(*assigned)
        hints = await self._known(assigned)
        for partition in assigned:
            consumer.seek(partition, hints.get(partition, 0))
        consumer.resume(*assigned)

    async def _known(self, assigned: set[TopicPartition]) -> Mapping[TopicPartition, int]:
        # What a listener raises is swallowed, and the partitions would stay paused: wait for the database here.
        while True:
            try:
                return await self._hints(assigned)
            except (psycopg.OperationalError, PoolTimeout) as error:
                _log.warning("consume.positions_away", error=type(error).__name__)
                await asyncio.sleep(_RETRY_SECONDS)


def _broker(settings: Settings, *, client_id: str) -> KafkaBroker:
    return KafkaBroker(
        settings.bootstrap(),
        client_id=client_id,
        consumer_only=True,
        allow_auto_create_topics=False,
        metadata_max_age_ms=_METADATA_MS,
        graceful_timeout=_GRACE_SECONDS,
        security=_security(settings),
        apply_types=False,
        logger=None,
    )


def _security(settings: Settings) -> BaseSecurity:
    given = connection(settings)
    context, encrypted = given["ssl_context"], settings.kafka_security_protocol.endswith("SSL")
    if not settings.kafka_security_protocol.startswith("SASL"):
        return BaseSecurity(ssl_context=context, use_ssl=encrypted)
    kind = _SASL.get(given["sasl_mechanism"])
    if kind is None:
        raise Misconfigured(f"KAFKA_SASL_MECHANISM is {given['sasl_mechanism']}: use one of {', '.join(_SASL)}")
    return kind(
        username=given["sasl_plain_username"] or "",
        password=given["sasl_plain_password"] or "",
        ssl_context=context,
        use_ssl=encrypted,
    )


def _unparsed(records: tuple[ConsumerRecord[bytes, bytes], ...]) -> KafkaMessage:
    # FastStream's own parser decodes headers, and loses the whole batch when one is not UTF-8.
    return KafkaMessage(body=b"", raw_message=records, headers={}, consumer=FAKE_CONSUMER)


def _undecoded(message: KafkaMessage) -> Any:
    return message.raw_message
