"""What subscribers may rely on, made from the models themselves: JSON Schemas of facts, and the AsyncAPI document."""

import json
from pathlib import Path
from typing import Any, Final, get_args

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from schemas.event import AnyFact
from schemas.fact import Fact
from schemas.topics import TOPIC_OF, TOPICS, Topic
from services.compatibility import breaks
from services.settings import Settings
from services.topics import name_of

PUBLISHED: Final = Path(__file__).parent.parent / "schemas" / "published"

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_TOPICS: Final[dict[Topic, str]] = {
    "interactions": "What channels saw: messages, calls, forms, and receipts.",
    "activities": "Orders, invoices, payments and deliveries from other systems.",
    "customers": "Preferences, consent and erasure.",
    "cases": "The desk's work: which interactions belong together, and whose turn it is.",
    "agents": "Presence and assignments of agents.",
    "outbound": "What became of each answer.",
    "settings": "Tenants and inboxes that were in force.",
    "parked": "What was set aside because it could not be processed.",
}
_ATTRIBUTES: Final[dict[str, str]] = {
    "ce_specversion": "1.0",
    "ce_id": "Event id; `<event id>.rN` for revision N ≥ 2. The same id is the same event: skip it.",
    "ce_type": "`tamas.<type>.v<version>`.",
    "ce_source": "`/tenants/{tenant}/inboxes/{inbox_id}` or `/tenants/{tenant}`.",
    "ce_subject": "Address id, or stream id of a decision. The same as the record's key.",
    "ce_time": "When it happened, as its source says (RFC 3339, UTC).",
    "ce_dataschema": "Where the JSON Schema of the value is.",
    "content-type": "application/json",
    "ce_tenant": "The tenant's slug.",
    "ce_position": "Place in the record. Grows within a partition; skip what is not above the last one you handled.",
    "ce_prevposition": "What may precede it in its partition. Above the last one you handled = you missed something.",
    "ce_eventid": "Event id without the revision.",
    "ce_revision": "1, or more once a request was read again by a mended parser.",
    "ce_recordedat": "When it was recorded (RFC 3339, UTC); never goes back as positions grow.",
}
_OPTIONAL: Final[dict[str, str]] = {
    "ce_correlationid": "The event or command that began it all.",
    "ce_causationid": "The event or command that led to this one.",
    "ce_traceparent": "W3C trace context.",
    "ce_dataref": "Claim check: the value is empty because it was too large; read it at this address.",
}


class ContractBroken(Exception):
    """A published fact would change in a way that its readers cannot follow: make a new version of it."""


class _AsWritten(GenerateJsonSchema):
    """Facts as they are written: what is None is left out, and what a newer writer adds is allowed."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        made = super().default_schema(schema)
        if made.get("default", ...) is None:
            del made["default"]
        return made

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        made = super().model_schema(schema)
        made.pop("additionalProperties", None)
        # Not every field with a default, although it is written: a field that is added later is not in older facts.
        always = {name for name, field in schema["cls"].model_fields.items() if field.is_required()}
        made["required"] = [name for name in made["properties"] if name in always | {"type", "version"}]
        return made


def facts() -> dict[tuple[str, int], type[Fact]]:
    """Every fact that this version writes, by type and version."""
    union = get_args(AnyFact)[0]
    models: tuple[type[Fact], ...] = get_args(union)
    return {(model.model_fields["type"].default, model.model_fields["version"].default): model for model in models}


def schema_of(fact: type[Fact]) -> JsonSchemaValue:
    """JSON Schema 2020-12 of the published form. `personal` is absent once its subject was erased."""
    name, version = fact.model_fields["type"].default, fact.model_fields["version"].default
    made = fact.model_json_schema(schema_generator=_AsWritten)
    return {"$schema": _DIALECT, "$id": f"/schemas/{name}/{version}.json", **made}


def published(directory: Path = PUBLISHED) -> dict[tuple[str, int], JsonSchemaValue]:
    """Every schema that was ever published."""
    found: dict[tuple[str, int], JsonSchemaValue] = {}
    for path in sorted(directory.glob("*.json")):
        name, _, version = path.stem.rpartition(".")
        found[name, int(version)] = json.loads(path.read_bytes())
    return found


def export(directory: Path = PUBLISHED) -> list[Path]:
    """Write the schemas of this version's facts; those of older versions stay. Returns what was written.

    Raises:
        ContractBroken: a schema that is there already would change by more than additions; nothing is written.
    """
    before, now = published(directory), {key: schema_of(fact) for key, fact in facts().items()}
    broken = [
        f"{name} v{version}, {what}"
        for (name, version), made in now.items()
        for what in breaks(before.get((name, version), made), made)
    ]
    if broken:
        raise ContractBroken("make a new version with an upcast instead: " + "; ".join(broken))
    directory.mkdir(parents=True, exist_ok=True)
    written = {directory / f"{name}.{version}.json": made for (name, version), made in now.items()}
    for path, made in written.items():
        path.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return list(written)


def asyncapi(settings: Settings | None = None) -> dict[str, Any]:
    """The AsyncAPI 3.0 document: topics as channels, facts as messages, CloudEvents attributes as their headers."""
    given = settings or Settings.model_validate({})
    messages = {f"{name}.v{version}": fact for (name, version), fact in facts().items()}
    references, schemas = models_json_schema(
        [(fact, "validation") for fact in messages.values()],
        schema_generator=_AsWritten,
        ref_template="#/components/schemas/{model}",
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tamas topics",
            "version": "1.0.0",
            "description": "CloudEvents 1.0 in Kafka's binary mode. Delivery is at least once and in order of "
            "`ce_position` within a partition. Topics keep 30 days; older history is at `GET /api/v1/events`.",
        },
        "defaultContentType": "application/json",
        "servers": _servers(given),
        "channels": {topic: _channel(given, topic, messages) for topic in TOPICS},
        "operations": {
            f"publish_{topic}": {"action": "send", "channel": {"$ref": f"#/channels/{topic}"}, "summary": says}
            for topic, says in _TOPICS.items()
        },
        "components": {
            "messages": {name: _message(name, fact, references[fact, "validation"]) for name, fact in messages.items()},
            "schemas": {**schemas["$defs"], "CloudEventsHeaders": _headers()},
        },
    }


def _servers(settings: Settings) -> dict[str, Any]:
    protocol = "kafka" if settings.kafka_security_protocol in ("PLAINTEXT", "SASL_PLAINTEXT") else "kafka-secure"
    return {
        f"broker{number}": {"host": host, "protocol": protocol}
        for number, host in enumerate(settings.bootstrap() or ["localhost:9092"], start=1)
    }


def _channel(settings: Settings, topic: Topic, messages: dict[str, type[Fact]]) -> dict[str, Any]:
    carried = [name for name, fact in messages.items() if TOPIC_OF[fact.model_fields["type"].default] == topic]
    return {
        "address": name_of(settings, topic),
        "description": _TOPICS[topic],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in carried},
        "bindings": {
            "kafka": {
                "partitions": settings.topic_partitions,
                "replicas": settings.topic_replication,
                "bindingVersion": "0.5.0",
            }
        },
    }


def _message(name: str, fact: type[Fact], payload: JsonSchemaValue) -> dict[str, Any]:
    return {
        "name": f"tamas.{name}",
        "title": fact.__name__,
        "summary": (fact.__doc__ or "").partition("\n")[0],
        "contentType": "application/json",
        "headers": {"$ref": "#/components/schemas/CloudEventsHeaders"},
        "payload": payload,
        "bindings": {"kafka": {"key": {"type": "string", "format": "uuid"}, "bindingVersion": "0.5.0"}},
    }


def _headers() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            name: {"type": "string", "description": says} for name, says in (_ATTRIBUTES | _OPTIONAL).items()
        },
        "required": list(_ATTRIBUTES),
    }
