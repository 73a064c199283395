"""A broker with names, passwords and certificates: its certificate comes from an authority made for the test."""

import ipaddress
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, cast

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._scram import ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.embedded.kafka_config import Node, server_properties
from services.embedded.kafka_node import RunningKafka, new_kafka_id
from services.embedded.process import free_port
from tests.brokers import launch_with

USER: Final = "tamas"
PASSWORD: Final = "a password, with = and spaces"
_MODULES: Final = "org.apache.kafka.common.security"


@dataclass(frozen=True, slots=True)
class SecureBroker:
    """`ports` by security protocol; `ca` is the file that clients trust."""

    ports: Mapping[str, int]
    ca: Path


@pytest.fixture(scope="module")
def secure_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureBroker]:
    folder = tmp_path_factory.mktemp("secure")
    ca, keystore = _certificates(folder)
    ports = {protocol: free_port() for protocol in ("SSL", "SASL_PLAINTEXT", "SASL_SSL")}
    running = _start(folder / "kafka", Node(1, free_port(), free_port()), ports, keystore)
    try:
        running.wait_ready()
        _add_scram_user(running.bootstrap)
        yield SecureBroker(ports, ca)
    finally:
        running.stop()


def _start(data_dir: Path, node: Node, ports: Mapping[str, int], keystore: Path) -> RunningKafka:
    plain = server_properties(node, (node,), data_dir / "log")
    # The last of two lines of the same name counts.
    secured = "".join(f"{name}={value}\n" for name, value in _secured(node, ports, keystore).items())
    return launch_with(data_dir, node, plain + secured, new_kafka_id())


def _secured(node: Node, ports: Mapping[str, int], keystore: Path) -> dict[str, str]:
    listeners = [f"PLAINTEXT://127.0.0.1:{node.port}", *(f"{name}://127.0.0.1:{port}" for name, port in ports.items())]
    protocols = ("PLAINTEXT", *ports)
    found = {
        "listeners": ",".join([*listeners, f"CONTROLLER://127.0.0.1:{node.controller_port}"]),
        "advertised.listeners": ",".join(listeners),
        "listener.security.protocol.map": ",".join(["CONTROLLER:PLAINTEXT", *(f"{name}:{name}" for name in protocols)]),
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(keystore),
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
    }
    for protocol in ("sasl_plaintext", "sasl_ssl"):
        prefix = f"listener.name.{protocol}"
        found[f"{prefix}.plain.sasl.jaas.config"] = (
            f'{_MODULES}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";'
        )
        for scram in ("256", "512"):
            found[f"{prefix}.scram-sha-{scram}.sasl.jaas.config"] = f"{_MODULES}.scram.ScramLoginModule required;"
    return found


def _add_scram_user(bootstrap: str) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for mechanism in (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512):
        given = UserScramCredentialUpsertion(USER, ScramCredentialInfo(mechanism, 4096), PASSWORD.encode())
        (done,) = cast("dict[str, Future[None]]", admin.alter_user_scram_credentials([given])).values()
        done.result(20)


def _certificates(folder: Path) -> tuple[Path, Path]:
    """The authority's certificate, and the broker's key and certificate in one file."""
    ca_key, broker_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = _certificate("An authority for tests", ca_key, "An authority for tests", ca_key, is_ca=True)
    broker = _certificate("broker", broker_key, "An authority for tests", ca_key, is_ca=False)
    key = broker_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "ca.pem").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    (folder / "broker.pem").write_bytes(key + broker.public_bytes(serialization.Encoding.PEM))
    return folder / "ca.pem", folder / "broker.pem"


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    is_ca: bool,
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
    )
    return builder.sign(issuer_key, hashes.SHA256())
