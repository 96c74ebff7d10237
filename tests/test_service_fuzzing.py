"""Whatever is sent to the service as it describes itself, it answers or refuses it as described, and never fails."""

from __future__ import annotations

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from engine.live_rulebook import LiveRulebook
from engine.read.folders import find_folders
from server import create_app

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance]
EXAMPLES = 3  # of each address; `schemathesis run http://127.0.0.1:8000/openapi.json` tries as many as one likes
schema = schemathesis.openapi.from_wsgi("/openapi.json", create_app(LiveRulebook(find_folders())))


@schema.include(path_regex="^/v1/").parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_request_ends_in_a_failure(case: schemathesis.Case) -> None:
    changed = "overrides" in str(case.body)  # constants of one's own may give what the usual ones never give
    case.call_and_validate(checks=CHECKS if changed else [*CHECKS, response_schema_conformance])
