"""How a subscriber signs in; what it does with records is tested with the projector, on a real broker."""

import pytest
from faststream.security import SASLPlaintext, SASLScram512

from services import consume
from services.settings import Misconfigured, Settings

SASL = {
    "kafka_bootstrap_servers": "localhost:9",
    "kafka_sasl_username": "tamas",
    "kafka_sasl_password": "secret",
}


def test_no_security_by_default() -> None:
    assert not consume._security(Settings()).use_ssl


@pytest.mark.parametrize(
    ("protocol", "mechanism", "kind", "encrypted"),
    [
        ("SASL_PLAINTEXT", "PLAIN", SASLPlaintext, False),
        ("SASL_SSL", "SCRAM-SHA-512", SASLScram512, True),
    ],
)
def test_name_and_password(protocol: str, mechanism: str, kind: type, *, encrypted: bool) -> None:
    given = Settings.model_validate({**SASL, "kafka_security_protocol": protocol, "kafka_sasl_mechanism": mechanism})
    security = consume._security(given)
    assert isinstance(security, kind)
    assert security.use_ssl == encrypted
    assert isinstance(security, (SASLPlaintext, SASLScram512))
    assert (security.username, security.password) == ("tamas", "secret")


def test_a_mechanism_that_nobody_knows_is_told_with_those_that_work() -> None:
    given = Settings.model_validate({**SASL, "kafka_security_protocol": "SASL_SSL", "kafka_sasl_mechanism": "GUESSING"})
    with pytest.raises(Misconfigured, match="SCRAM-SHA-256"):
        consume._security(given)
