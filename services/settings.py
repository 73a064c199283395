"""What the environment says. Read once in a process's composition root, never at import."""

import json
import os
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Misconfigured(Exception):
    """The environment does not allow to start; the sentence says what to set."""


class Settings(BaseSettings):
    """Every variable of the installation. Names without the `TAMAS_` prefix follow the usual ones of their servers."""

    model_config = SettingsConfigDict(env_prefix="TAMAS_", extra="ignore", populate_by_name=True)

    database_url: str = Field(default="", validation_alias="DATABASE_URL")
    record_url: str = Field(default="", validation_alias="RECORD_URL")
    views_url: str = Field(default="", validation_alias="VIEWS_URL")
    keys_url: str = Field(default="", validation_alias="KEYS_URL")
    kafka_bootstrap_servers: str = Field(default="", validation_alias="KAFKA_BOOTSTRAP_SERVERS")
    kafka_security_protocol: str = Field(default="PLAINTEXT", validation_alias="KAFKA_SECURITY_PROTOCOL")
    kafka_sasl_mechanism: str | None = Field(default=None, validation_alias="KAFKA_SASL_MECHANISM")
    kafka_sasl_username: str | None = Field(default=None, validation_alias="KAFKA_SASL_USERNAME")
    kafka_sasl_password: SecretStr | None = Field(default=None, validation_alias="KAFKA_SASL_PASSWORD")
    kafka_ssl_cafile: str | None = Field(default=None, validation_alias="KAFKA_SSL_CAFILE")

    data: Path = Path(".tamas")
    public_url: str = ""
    http_listen: str = "127.0.0.1:8080"
    smtp_listen: str = "127.0.0.1:2525"
    lmtp_listen: str = ""
    api_listen: str = ""
    desk_listen: str = ""
    metrics_listen: str = ""
    secret_key: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    secret_key_file: Path | None = None
    topic_prefix: str = "tamas."
    topic_partitions: int = 12
    topic_replication: int = 1
    blob_url: str = ""
    spool_dir: Path | None = None
    spool_limit_bytes: int = 1 << 30
    reopen_days: int = Field(default=14, ge=0)
    mails_per_hour: int = Field(default=30, ge=1)
    api_url: str = "http://127.0.0.1:8080"
    api_token: SecretStr | None = None
    tenant: str | None = None
    log_format: str = "text"
    log_level: str = "info"

    @model_validator(mode="before")
    @classmethod
    def _split_keys(cls, values: dict[str, object]) -> dict[str, object]:
        for name in ("secret_key", "TAMAS_SECRET_KEY", "tamas_secret_key"):
            given = values.get(name)
            if isinstance(given, str):
                values[name] = tuple(SecretStr(part.strip()) for part in given.split(",") if part.strip())
        return values

    @model_validator(mode="after")
    def _fill_in(self) -> Self:
        self.record_url = self.record_url or self.database_url
        self.views_url = self.views_url or self.database_url
        self.keys_url = self.keys_url or self.database_url
        self.public_url = self.public_url.rstrip("/")
        self.blob_url = self.blob_url or (self.data / "blobs").absolute().as_uri()
        return self

    @property
    def spool(self) -> Path:
        """Where requests wait while PostgreSQL is away: a local disk, for all processes of this machine."""
        return self.spool_dir or self.data / "spool"

    def secrets(self) -> tuple[bytes, ...]:
        """The sealing keys, the one that seals first.

        Raises:
            Misconfigured: none is given, or one is shorter than 32 characters.
        """
        given = [key.get_secret_value() for key in self.secret_key]
        if not given and self.secret_key_file is not None:
            given = [part.strip() for part in self.secret_key_file.read_text("utf-8").split(",") if part.strip()]
        if not given:
            raise Misconfigured("TAMAS_SECRET_KEY (or TAMAS_SECRET_KEY_FILE) is not set: nothing can be sealed")
        if any(len(key) < 32 for key in given):  # noqa: PLR2004 - the sentence below says what it is
            raise Misconfigured("each key in TAMAS_SECRET_KEY must have at least 32 characters")
        return tuple(key.encode() for key in given)

    def public_url_for(self, listening: str) -> str:
        """The root of the URLs that we give out and check signatures against; `listening` is the door's own."""
        return self.public_url or f"http://{listening}"

    def bootstrap(self) -> list[str]:
        """Kafka's bootstrap servers as a list, which FastStream wants."""
        return [server.strip() for server in self.kafka_bootstrap_servers.split(",") if server.strip()]


def load(data: Path | None = None) -> Settings:
    """The settings of this process; what the environment leaves open comes from a running `tamas up`.

    It writes `endpoints.json` and, when it has no other, `secret.key` to the data folder.
    """
    given = Settings() if data is None else Settings(data=data)
    endpoints = given.data / "endpoints.json"
    found: dict[str, str] = json.loads(endpoints.read_bytes()) if endpoints.is_file() else {}
    update: dict[str, object] = {}
    if not given.database_url and not given.record_url and found.get("postgres"):
        update |= dict.fromkeys(("database_url", "record_url", "views_url", "keys_url"), found["postgres"])
    if not given.kafka_bootstrap_servers and found.get("kafka"):
        update["kafka_bootstrap_servers"] = found["kafka"]
    if "TAMAS_API_URL" not in os.environ and found.get("http"):
        update["api_url"] = found["http"]
    if "TAMAS_PUBLIC_URL" not in os.environ and found.get("public_url"):
        update["public_url"] = found["public_url"]
    for name, read in (("topic_prefix", str), ("topic_partitions", int)):
        if name not in given.model_fields_set and name in found:
            update[name] = read(found[name])
    secret = given.data / "secret.key"
    if not given.secret_key and given.secret_key_file is None and secret.is_file():
        update["secret_key_file"] = secret
    return given.model_copy(update=update)
