"""Every client of Kafka that we have, over TLS and with a name and a password, as the settings say."""

import asyncio

import pytest
from aiokafka.errors import KafkaConnectionError
from pydantic import SecretStr

from services import topic_state, topics
from services.embedded.process import free_port
from services.relay import app
from services.relay.relay import Relay
from services.settings import Misconfigured, Settings
from tests.secure_broker import PASSWORD, USER, SecureBroker, secure_broker
from tests.services.projector.running import assigned, projector, reached
from tests.services.relay.wire import caught_up, check_whole, read_topic, relaying, until, writer

__all__ = ["secure_broker"]

WAYS = [
    ("SSL", None),
    ("SASL_PLAINTEXT", "PLAIN"),
    ("SASL_PLAINTEXT", "SCRAM-SHA-256"),
    ("SASL_SSL", "SCRAM-SHA-512"),
]


def _over(settings: Settings, broker: SecureBroker, protocol: str, mechanism: str | None) -> Settings:
    given = {
        "kafka_bootstrap_servers": f"127.0.0.1:{broker.ports[protocol]}",
        "kafka_security_protocol": protocol,
        "kafka_ssl_cafile": str(broker.ca) if protocol.endswith("SSL") else None,
        "kafka_sasl_mechanism": mechanism,
        "kafka_sasl_username": None if mechanism is None else USER,
        "kafka_sasl_password": None if mechanism is None else SecretStr(PASSWORD),
    }
    return settings.model_copy(update=given)


@pytest.mark.parametrize(("protocol", "mechanism"), WAYS)
async def test_from_the_record_to_the_read_models(
    settings: Settings, secure_broker: SecureBroker, protocol: str, mechanism: str | None
) -> None:
    over = _over(settings, secure_broker, protocol, mechanism)
    source = await writer(over)
    async with relaying(over) as relay, projector(over) as running:
        await assigned(running, over.topic_partitions * 4)
        await source.write(60)
        await caught_up(relay, over)
        await reached(over, relay.status().position)
    assert check_whole(await read_topic(over), source.written) == 0
    assert topic_state.findings(over, await topic_state.look(over)) == []


WRONG = {
    "KAFKA_SASL_PASSWORD": {"kafka_sasl_password": SecretStr("another")},
    "is not trusted": {"kafka_ssl_cafile": None},
    "does not speak SASL_PLAINTEXT": {"kafka_security_protocol": "SASL_PLAINTEXT"},
    "does not speak PLAINTEXT": {"kafka_security_protocol": "PLAINTEXT"},
}


@pytest.mark.parametrize("says", WRONG)
async def test_what_is_wrong_is_said_and_nothing_is_published(
    settings: Settings, secure_broker: SecureBroker, says: str
) -> None:
    right = _over(settings, secure_broker, "SASL_SSL", "SCRAM-SHA-256")
    wrong = right.model_copy(update=WRONG[says])
    with pytest.raises(Misconfigured, match=says):
        await topics.create(wrong)
    stop, relays = asyncio.Event(), list[Relay]()
    running = asyncio.create_task(app.run(wrong, stop, stop.set, started=relays.append))
    try:
        await until(lambda: bool(relays) and says in relays[0].status().detail)
        assert not relays[0].status().ok
    finally:
        stop.set()
        await running


async def test_a_broker_that_is_away_is_no_wrong_setting(settings: Settings, secure_broker: SecureBroker) -> None:
    right = _over(settings, secure_broker, "SASL_SSL", "SCRAM-SHA-256")
    with pytest.raises(KafkaConnectionError):
        await topics.create(right.model_copy(update={"kafka_bootstrap_servers": f"127.0.0.1:{free_port()}"}))
