"""What can go wrong with the servers that Tamas brings along; each message says what to do next."""


class EmbeddedError(RuntimeError):
    """An embedded server cannot be provided on this machine as it is."""


class StartFailed(EmbeddedError):
    """A server process ended, or stayed silent, before it was ready; the message holds the end of its log."""


class PortTaken(StartFailed):
    """Somebody else listens on the port."""


class DataDirInUse(EmbeddedError):
    """Another living process has claimed this data directory."""


class JavaMissing(EmbeddedError):
    """No Java that can run Kafka was found."""


class JarsUnavailable(EmbeddedError):
    """A jar could not be fetched."""


class ChecksumMismatch(EmbeddedError):
    """A jar is not the one that the lock names; it has been removed."""
