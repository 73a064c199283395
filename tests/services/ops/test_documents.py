"""`tamas openapi`, `asyncapi`, `schemas` and `topics`."""

import json
from pathlib import Path

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from services.contracts import published
from services.settings import Settings
from tests.services.ops.cli import Tamas


def test_the_openapi_document_is_one() -> None:
    done = Tamas(None)("openapi")
    document = json.loads(done.out)
    OpenAPIV31SpecValidator(document).validate()
    for operations in document["paths"].values():
        for operation in operations.values():
            for response in operation["responses"].values():
                assert "Tamas-Request-Id" in response["headers"]


def test_the_asyncapi_document() -> None:
    assert "interactions" in json.loads(Tamas(None)("asyncapi").out)["channels"]


def test_schemas_are_exported(tmp_path: Path) -> None:
    assert Tamas(None)("schemas", "export", tmp_path / "new").code == 0
    found = {path.stem for path in (tmp_path / "new").glob("*.json")}
    assert found == {f"{name}.{version}" for name, version in published()}
    for path in (tmp_path / "new").glob("*.json"):
        jsonschema.Draft202012Validator.check_schema(json.loads(path.read_bytes()))
    assert "interaction.received.v1" in Tamas(None)("schemas", "list").out.split()


def test_topics_need_a_broker(settings: Settings) -> None:
    tamas = Tamas(settings)
    tamas.environment["KAFKA_BOOTSTRAP_SERVERS"] = None
    assert tamas("topics", "list").code == 78


@pytest.mark.timeout(120)
def test_topics_are_made_once(wired: Settings) -> None:
    tamas = Tamas(wired, TAMAS_TOPIC_PREFIX=wired.topic_prefix, TAMAS_TOPIC_PARTITIONS="3")
    tamas.environment["KAFKA_BOOTSTRAP_SERVERS"] = wired.kafka_bootstrap_servers
    assert tamas("topics", "list").code == 1
    made = tamas("topics", "create")
    assert (made.code, len(made.out.splitlines())) == (0, 8)
    assert tamas("topics", "create").out == ""
    rows = tamas("topics", "list", "--json").rows()
    assert {(row["exists"], row["partitions"], row["copies"]) for row in rows} == {(True, 3, 1)}
    assert {(row["in_sync"], row["retention_seconds"]) for row in rows} == {(1, 30 * 24 * 3600)}
    assert not any(row["must_change"] or row["should_change"] for row in rows)


@pytest.mark.timeout(120)
def test_topics_list_says_what_to_change(wired: Settings) -> None:
    tamas = Tamas(wired, TAMAS_TOPIC_PREFIX=wired.topic_prefix, TAMAS_TOPIC_PARTITIONS="3")
    tamas.environment["KAFKA_BOOTSTRAP_SERVERS"] = wired.kafka_bootstrap_servers
    assert tamas("topics", "create").code == 0
    tamas.environment["TAMAS_TOPIC_REPLICATION"] = "3"
    listed = tamas("topics", "list")
    assert listed.code == 1
    assert "interactions has 1 copies of each record, TAMAS_TOPIC_REPLICATION says 3" in listed.err
    assert "set min.insync.replicas to 2" in listed.err
