"""Fixtures that every test may ask for."""

from tests.servers import kafka_bootstrap, postgres_url, settings, wired

__all__ = ["kafka_bootstrap", "postgres_url", "settings", "wired"]

pytest_plugins = ["tests.house.not_run"]
