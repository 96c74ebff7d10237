"""Whatever is sent to the service, it answers or refuses it as it describes itself, and never fails.

`schemathesis run http://127.0.0.1:8000/openapi.json` tries far more, with a service that runs.
"""

from __future__ import annotations

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from fitcard.web.app import create_app
from helpers.project import project_rules

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 6  # of each address
APP = create_app(project_rules())
SCHEMAS = APP.test_client().get("/openapi.json").get_json()["components"]["schemas"]
NAMES = st.sampled_from([*SCHEMAS["question"]["properties"], "device.memory", "model.layers", "nothing"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9)
WORDS = st.sampled_from(["qwen-3-14b", "m1-16gb", "Q4_K_M", "vllm", "own", "reference"])
VALUES = st.recursive(SCALARS | WORDS, lambda of: st.lists(of, max_size=2) | st.dictionaries(NAMES, of, max_size=3))
QUESTIONS = st.dictionaries(NAMES, VALUES, max_size=5).map(
    lambda more: {"model": "qwen-3-14b", "device": "4090", **more}
)
SETTINGS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
schema = schemathesis.openapi.from_wsgi("/openapi.json", APP)


@schema.include(path_regex="^/v1/", method="GET").parametrize()
@SETTINGS
def test_no_address_ends_in_a_failure(case: schemathesis.Case) -> None:
    case.call_and_validate(checks=CHECKS)


@settings(SETTINGS, max_examples=60)
@given(VALUES | QUESTIONS)
def test_no_body_ends_in_a_failure(body: object) -> None:
    response = APP.test_client().post("/v1/can-run", json=body)
    assert response.status_code < 500
    assert response.mimetype == ("application/json" if response.status_code == 200 else "application/problem+json")


@settings(SETTINGS, max_examples=20)
@given(st.lists(QUESTIONS | SCALARS, max_size=3) | VALUES)
def test_no_batch_ends_in_a_failure(questions: object) -> None:
    response = APP.test_client().post("/v1/batch", json={"questions": questions})
    assert response.status_code in (200, 400)
    for one in response.get_json().get("answers", ()):
        assert one["status"] < 500
