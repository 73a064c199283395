"""The record's one lock. Whoever draws a position takes it as the last thing before the insert, commit right behind."""

from typing import Final

TAKE_LOCK: Final = "SELECT pg_advisory_xact_lock(499850764659)"
"""The key is "tamas" in ASCII. A statement of its own, before the insert: an INSERT that takes the lock itself would
have its snapshot already."""

TIMEOUTS: Final = "-c lock_timeout=2s -c idle_in_transaction_session_timeout=2s"
"""`options` of every connection that writes to the record."""
