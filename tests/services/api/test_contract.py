"""The document against the application: schemathesis asks whatever the document allows, and what it does not."""

from typing import Any, cast

import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as how
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS  # pyright: ignore[reportUnknownVariableType]

from services.settings import Settings
from tests.services.api.house import ALI
from tests.services.api.server import running
from tests.services.api.things import one_of_each

EXAMPLES = 25
# The first three need states; who may do what is walked through in test_access, here every request has its token.
UNFIT = {"use_after_free", "ensure_resource_availability", "object_level_authorization", "ignored_auth"}


def test_no_fault_and_nothing_undocumented(settings: Settings) -> None:
    with running(settings, one_of_each) as (url, house, ids):
        schema: Any = schemathesis.openapi.from_url(f"{url}/openapi.json")
        schema.config.update(headers=house.as_role("operator"))
        # A stream does not end; it has tests of its own.
        operations: list[Any] = [
            found.ok() for found in schema.exclude(path="/api/v1/events/stream").get_all_operations()
        ]
        assert len(operations) == 30
        for operation in operations:
            _ask(operation, ids)


def _ask(operation: Any, ids: dict[str, Any]) -> None:
    registry = cast("Any", CHECKS)
    checks = [registry.get_one(name) for name in registry.get_all_names() if name not in UNFIT]

    @how(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=(HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large),
    )
    @given(
        case=st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in GenerationMode)),
        is_there=st.booleans(),
    )
    def ask(case: Any, is_there: bool) -> None:
        if is_there and case.path_parameters:
            case.path_parameters = {name: ids[name] for name in case.path_parameters}
        _tame(case)
        case.call_and_validate(checks=checks, timeout=10)

    ask()


def _tame(case: Any) -> None:
    """Take out what is right by its form and refused for what happened before; it has tests of its own."""
    if case.meta.generation.mode is GenerationMode.POSITIVE:
        case.query.pop("cursor", None)
        for name in ("Idempotency-Key", "If-Match"):
            case.headers.pop(name, None)
        if isinstance(case.body, dict) and "via" in case.body:
            del case.body["via"]  # it needs a reason, which no schema says
        if case.method == "PUT":
            case.query["address"] = ALI  # whose preferences nobody could have is no address
    # Waiting for a position that nobody writes is a 503, as it should be.
    if str(case.query.get("min_position", "")).isdecimal():
        del case.query["min_position"]
