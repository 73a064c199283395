"""What a channel may answer instead of facts."""


class BadSignature(Exception):
    """The request does not come from the provider, or its signature cannot be checked. The sentence says which."""


class Malformed(Exception):
    """The request comes from the provider, but cannot be read. The sentence names the field or the place."""


class InvalidFields(Malformed):
    """A person filled in a form in a way that its schema refuses; shown beside the fields, nothing is parked."""

    def __init__(self, errors: tuple[tuple[str, str], ...]) -> None:
        """`errors` are pairs of field name and a sentence for the person who filled it in."""
        super().__init__("; ".join(f"{field}: {detail}" for field, detail in errors))
        self.errors = errors


class Trapped(Malformed):
    """A machine filled in what no person sees. Answered as if accepted, kept and parked."""
