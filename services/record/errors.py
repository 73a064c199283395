"""How a save, or the decision before it, can end other than well. Each class says who acts (DESIGN: A decision)."""


class Refused(Exception):
    """A rule of the business says no. The sentence is shown to the person who asked; nobody tries again."""


class Conflict(Exception):
    """Someone was faster on the same stream: load and decide again."""


class Fenced(Exception):
    """Another process holds the lease: stop, quietly."""


class AlreadyDone(Exception):
    """This command was carried out before. `position` is what the first answer said."""

    def __init__(self, position: int) -> None:
        """`position` of the last decision that the command led to."""
        super().__init__(f"this command was carried out before, at position {position}")
        self.position = position
