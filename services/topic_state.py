"""What our topics are on the broker, what they should be, and what to do about the difference.

What loses events is refused (`must`): the relay does not write until it is mended. The rest is told.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import structlog
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from services.settings import Settings
from services.topics import (
    RETENTION_SECONDS,
    SEGMENT_SECONDS,
    TopicsMissing,
    admin_of,
    copies_in_sync,
    described,
    names,
)

_DEFAULT_MESSAGE_BYTES: Final = 1_048_588
_SMALLEST_MESSAGE_BYTES: Final = 512 * 1024
"""A fact has at most 256 KB, and its headers and batch come to that."""
_SWEEP_SECONDS: Final = 600
"""Brokers look for what is too old every five minutes, and remove its files a minute later, unless told otherwise."""
_DAY_MS: Final = 24 * 3600 * 1000
_RETENTION_MS: Final = RETENTION_SECONDS * 1000
_log: Final = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class TopicState:
    """One topic as the broker has it; without `partitions` it is not there, without `configs` they may not be read."""

    name: str
    partitions: int = 0
    copies: int = 0
    configs: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def largest_bytes(self) -> int:
        """The largest batch that the broker takes."""
        return int(self.configs.get("max.message.bytes", _DEFAULT_MESSAGE_BYTES))


@dataclass(frozen=True, slots=True)
class Finding:
    """A sentence that says what is wrong with a topic and what to change. `must`: nothing is written before that."""

    topic: str
    says: str
    must: bool = False


async def look(settings: Settings) -> list[TopicState]:
    """Our topics as they are, in the order of `schemas.topics`.

    Raises:
        aiokafka.errors.KafkaError: the broker is away.
    """
    async with admin_of(settings) as admin:
        there = await described(admin)
        configs = await _configs(admin, [name for name in names(settings) if name in there])
    return [_state(name, there.get(name), configs.get(name, {})) for name in names(settings)]


async def check(settings: Settings) -> int:
    """See that nothing can be lost; what else is not as it should be goes to the log.

    Returns the largest batch in bytes that all topics take.

    Raises:
        TopicsMissing: a topic is missing, or has other partitions, fewer copies or another clean-up than it must have.
        aiokafka.errors.KafkaError: the broker is away.
    """
    states = await look(settings)
    found = findings(settings, states)
    for finding in found:
        if finding.must:
            raise TopicsMissing(finding.says)
    for finding in found:
        _log.warning("topics.not_as_advised", topic=finding.topic, says=finding.says)
    return min(state.largest_bytes for state in states)


def kept_as_made() -> timedelta:
    """How long a record stays at most on a topic that `topics.create` made."""
    return timedelta(seconds=RETENTION_SECONDS + SEGMENT_SECONDS + _SWEEP_SECONDS)


async def kept(settings: Settings) -> timedelta:
    """How long a record of ours stays at most on the broker, by its own word; `timedelta.max` when it is never deleted.

    Raises:
        TopicsMissing: no topic of ours is there, or we may not see how they are configured.
        aiokafka.errors.KafkaError: the broker is away.
    """
    states = [state for state in await look(settings) if state.partitions]
    try:
        return max(_kept(state.configs) for state in states)
    except (ValueError, KeyError) as error:
        raise TopicsMissing("the broker does not tell retention.ms and segment.ms of the topics") from error


def findings(settings: Settings, states: Iterable[TopicState]) -> list[Finding]:
    """All that is not as it should be."""
    return [finding for state in states for finding in _of_topic(settings, state)]


def _of_topic(settings: Settings, state: TopicState) -> list[Finding]:
    if not state.partitions:
        return [
            Finding(state.name, f"the topic {state.name} is missing on the broker: run `tamas topics create`", True)
        ]
    found = _placement(settings, state)
    if not state.configs:
        says = f"the settings of {state.name} may not be read, so they are not checked: allow DescribeConfigs on it"
        return [*found, Finding(state.name, says)]
    if "compact" in state.configs.get("cleanup.policy", "delete"):
        says = f"the topic {state.name} is compacted, which drops events: set its cleanup.policy to delete"
        found.append(Finding(state.name, says, must=True))
    for judge in _ADVICE:
        says = judge(settings, state)
        if says:
            found.append(Finding(state.name, says))
    return found


def _placement(settings: Settings, state: TopicState) -> list[Finding]:
    found: list[Finding] = []
    wanted, copies = settings.topic_partitions, settings.topic_replication
    if state.partitions != wanted:
        says = (
            f"the topic {state.name} has {state.partitions} partitions, TAMAS_TOPIC_PARTITIONS says {wanted}: set it "
            f"to {state.partitions}, or use another TAMAS_TOPIC_PREFIX; a topic's partitions never change"
        )
        found.append(Finding(state.name, says, must=True))
    if state.copies < copies:
        says = (
            f"the topic {state.name} has {state.copies} copies of each record, TAMAS_TOPIC_REPLICATION says {copies}: "
            "reassign its partitions with more replicas, or lower the setting"
        )
        found.append(Finding(state.name, says, must=True))
    return found


def _in_sync(settings: Settings, state: TopicState) -> str | None:
    has, wanted = int(state.configs.get("min.insync.replicas", 1)), copies_in_sync(settings)
    copies = max(state.copies, settings.topic_replication)
    if has < wanted:
        return (
            f"on {state.name} a record counts as written with {has} of {copies} copies, and is lost with that broker: "
            f"set min.insync.replicas to {wanted}"
        )
    if has >= copies > 1:
        return (
            f"on {state.name} all {has} copies must be written, so one broker away stops the relay: set "
            f"min.insync.replicas to {copies - 1}"
        )
    return None


def _retention(_: Settings, state: TopicState) -> str | None:
    has = int(state.configs.get("retention.ms", _RETENTION_MS))
    if state.configs.get("cleanup.policy") == "" or has < 0 or has > _RETENTION_MS:
        return (
            f"{state.name} keeps records, also of people who are erased, longer than 30 days: set "
            f"retention.ms to {_RETENTION_MS} and cleanup.policy to delete"
        )
    if has < _RETENTION_MS:
        return (
            f"{state.name} keeps {has / _DAY_MS:g} days: who reads it and was away longer misses events; set "
            f"retention.ms to {_RETENTION_MS}"
        )
    return None


def _size(_: Settings, state: TopicState) -> str | None:
    has = int(state.configs.get("retention.bytes", -1))
    return (
        None if has < 0 else f"{state.name} drops records above {has} bytes of a partition: set retention.bytes to -1"
    )


def _message(_: Settings, state: TopicState) -> str | None:
    if state.largest_bytes >= _SMALLEST_MESSAGE_BYTES:
        return None
    return (
        f"{state.name} takes {state.largest_bytes} bytes at once; larger events go without their value, to be fetched "
        f"by their ce_dataref: set max.message.bytes to {_DEFAULT_MESSAGE_BYTES}"
    )


def _unclean(_: Settings, state: TopicState) -> str | None:
    if state.configs.get("unclean.leader.election.enable") != "true":
        return None
    return (
        f"a copy of {state.name} that lacks records may lead it: set unclean.leader.election.enable to false (the "
        "relay would send them again, others have to notice by ce_prevposition)"
    )


_ADVICE: Final[tuple[Callable[[Settings, TopicState], str | None], ...]] = (
    _in_sync,
    _retention,
    _size,
    _message,
    _unclean,
)


def _state(name: str, found: dict[str, Any] | None, configs: Mapping[str, str]) -> TopicState:
    if found is None:
        return TopicState(name)
    copies = min(len(partition["replicas"]) for partition in found["partitions"])
    return TopicState(name, len(found["partitions"]), copies, configs)


async def _configs(admin: AIOKafkaAdminClient, wanted: list[str]) -> dict[str, dict[str, str]]:
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in wanted]
    try:
        answers: list[Any] = await admin.describe_configs(resources) if resources else []
    except KafkaError as error:
        _log.info("topics.configs_not_read", error=type(error).__name__)
        return {}
    told = [resource for answer in answers for resource in answer.resources]
    return {name: {entry[0]: entry[1] for entry in entries} for _code, _message, _kind, name, entries in told}


def _kept(configs: Mapping[str, str]) -> timedelta:
    """Of one topic."""
    retention = int(configs["retention.ms"])
    if retention < 0 or "delete" not in configs.get("cleanup.policy", "delete"):
        return timedelta.max
    try:
        return timedelta(milliseconds=retention + int(configs["segment.ms"]), seconds=_SWEEP_SECONDS)
    except OverflowError:
        return timedelta.max
