"""Is this Kafka ready? Asked in its own protocol, because the port opens earlier than the broker answers."""

import socket
import struct
from dataclasses import dataclass
from typing import Final

_METADATA: Final = 3
_VERSION: Final = 7
_TIMEOUT_SECONDS: Final = 2.0
_HEADER: Final = struct.Struct(">hhih5s")
_LARGEST_ANSWER: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Cluster:
    """What a broker tells of its cluster: who leads (-1 = nobody yet), each living broker's port by node id."""

    cluster: str
    controller: int
    ports: dict[int, int]


def ask_cluster(port: int) -> Cluster | None:
    """The answer to a Metadata request on loopback, or None while nobody answers in this language.

    Source: Kafka protocol guide, Metadata request and response version 7.
    """
    try:
        return _read_cluster(_ask_metadata(port))
    except (OSError, EOFError, ValueError, struct.error):
        return None


def _ask_metadata(port: int) -> bytes:
    request = _HEADER.pack(_METADATA, _VERSION, 1, 5, b"tamas") + struct.pack(">i?", 0, False)
    with socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_SECONDS) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        (length,) = struct.unpack(">i", _receive(connection, 4))
        if not 0 < length < _LARGEST_ANSWER:
            raise EOFError
        return _receive(connection, length)


def _receive(connection: socket.socket, length: int) -> bytes:
    received = bytearray()
    while len(received) < length:
        part = connection.recv(length - len(received))
        if not part:
            raise EOFError
        received += part
    return bytes(received)


def _read_cluster(answer: bytes) -> Cluster:
    # After the correlation id and the throttle time: brokers of (node id, host, port, rack), cluster id, controller.
    (count,) = struct.unpack_from(">i", answer, 8)
    at, ports = 12, dict[int, int]()
    for _ in range(count):
        (node_id,) = struct.unpack_from(">i", answer, at)
        _, at = _text(answer, at + 4)
        (ports[node_id],) = struct.unpack_from(">i", answer, at)
        _, at = _text(answer, at + 4)
    cluster, at = _text(answer, at)
    (controller,) = struct.unpack_from(">i", answer, at)
    return Cluster(cluster, controller, ports)


def _text(answer: bytes, at: int) -> tuple[str, int]:
    (length,) = struct.unpack_from(">h", answer, at)
    end = at + 2 + max(0, length)
    return answer[at + 2 : end].decode("utf-8"), end
