"""Fixtures that every test may ask for."""

from tests.brokers import brokers, wired_to_three
from tests.servers import kafka_bootstrap, postgres_url, settings, wired

__all__ = ["brokers", "kafka_bootstrap", "postgres_url", "settings", "wired", "wired_to_three"]

pytest_plugins = ["tests.house.not_run"]
