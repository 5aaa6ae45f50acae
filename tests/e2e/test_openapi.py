"""The OpenAPI document against the gateway it describes: valid, and true of every answer."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi import checks as openapi_checks
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from tests.fixtures.stack import RunningStack
from tests.support.scenario import make_scenario

pytestmark = [pytest.mark.xdist_group("stack"), pytest.mark.timeout(300)]

SEED = 20_220_428
# Every operation gets so many well-formed requests and as many broken ones: about 40 s in all.
EXAMPLES = 8
# Answers without end are read by the tests of the commands.
STREAMS = {"/campaigns/{id}/events"}
CHECKS = [
    not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
]
# Words of the envelope and their codes, as the documented API uses them.
CODES = {
    "INVALID_ARGUMENT": {400, 413, 416},
    "UNAUTHENTICATED": {401},
    "PERMISSION_DENIED": {403},
    "NOT_FOUND": {404},
    "ALREADY_EXISTS": {409},
    "FAILED_PRECONDITION": {409},
    "ABORTED": {409},
    "RESOURCE_EXHAUSTED": {429},
    "UNAVAILABLE": {503},
}


@dataclass(frozen=True)
class Api:
    """The document and how to send what it describes."""

    schema: schemathesis.BaseSchema
    document: dict[str, Any]
    session: requests.Session
    base: str
    objects: dict[str, str]

    def operations(self) -> Iterator[APIOperation[Any, Any, Any, Any]]:
        """Every operation, those that delete last."""
        found = []
        for result in self.schema.get_all_operations():
            assert isinstance(result, Ok), result.err()
            if result.ok().path not in STREAMS:
                found.append(result.ok())
        yield from sorted(found, key=lambda operation: operation.method.upper() == "DELETE")

    def send(self, case: Case[Any]) -> None:
        """Send a case and hold the answer against the document."""
        response = case.call(base_url=self.base, session=self.session, timeout=20)
        case.validate_response(response, checks=CHECKS)
        if response.status_code >= 400:
            error = response.json()["error"]
            assert response.status_code in CODES[error["status"]], error
            assert error["request_id"] == response.headers["x-request-id"][0]

    def known_id(self, path: str, name: str) -> str:
        """An object that exists and suits the path's parameter."""
        words = {"target_id": "targets", "import_id": "imports"}
        return self.objects.get(words.get(name, path.split("/")[1]), str(uuid.uuid4()))


@pytest.fixture(scope="module")
def api(stack: RunningStack) -> Iterator[Api]:
    with stack.client() as client:
        scenario = make_scenario(client, ["+19990004001"], agents=1)
        outdial = scenario.outdial_id
        target = next(client.pages(f"/outdials/{outdial}/targets"))
        flow = client.post("/flows", {"name": "openapi", "actions": []})
        result = client.upload(
            f"/outdials/{outdial}/targets/import",
            [b"phone\n+19990004002\nnonsense\n"],
            kind="text/csv",
            key=uuid.uuid4().hex,
        )
        tag = client.post("/tags", {"name": f"openapi {uuid.uuid4().hex[:8]}"})
        objects = {
            "campaigns": scenario.campaign_id,
            "outdials": outdial,
            "outplans": scenario.outplan_id,
            "queues": scenario.queue_id,
            "agents": scenario.agent_ids[0],
            "tags": tag["id"],
            "flows": flow["id"],
            "targets": target["id"],
            "imports": result["import_id"],
        }
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {stack.access_key}"
        session.trust_env = False
        document = session.get(f"{stack.url}/openapi.json", timeout=10).json()
        schema = schemathesis.openapi.from_dict(document)
        yield Api(schema, document, session, f"{stack.url}/v1.0", objects)


def explore(strategy: Any, body: Callable[[Case[Any]], None]) -> None:
    """Run the body on examples that are the same every time."""

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def run(case: Case[Any]) -> None:
        body(case)

    run()


def sweep(api: Api, mode: GenerationMode, body: Callable[[Case[Any]], None]) -> None:
    """Explore every operation; all failures are reported together."""
    failures: list[str] = []
    for operation in api.operations():
        try:
            explore(operation.as_strategy(generation_mode=mode), body)
        except Exception as error:
            kind = type(error).__name__
            if kind == "Unsatisfiable" and mode is GenerationMode.NEGATIVE:
                continue  # Nothing about this operation can be wrong.
            failures.append(f"{operation.label}: {kind}: {str(error)[:1500]}")
    assert not failures, "\n\n".join(failures[:10])


def test_document_is_valid(api: Api) -> None:
    errors = [error.message for error in OPENAPI_31_VALIDATOR.iter_errors(api.document)]
    assert errors == []
    text = str(api.document)
    names = set(api.document["components"]["schemas"])
    assert set(re.findall(r"#/components/schemas/(\w+)", text)) <= names


def test_operations_have_names_of_their_own(api: Api) -> None:
    names = [
        operation["operationId"]
        for methods in api.document["paths"].values()
        for operation in methods.values()
    ]
    assert len(names) == len(set(names)) > 60


def test_well_formed_requests_get_documented_answers(api: Api) -> None:
    sweep(api, GenerationMode.POSITIVE, api.send)


def test_requests_for_existing_objects_get_documented_answers(api: Api) -> None:
    def body(case: Case[Any]) -> None:
        for name in case.path_parameters or {}:
            case.path_parameters[name] = api.known_id(case.operation.path, name)
        api.send(case)

    sweep(api, GenerationMode.POSITIVE, body)


def test_broken_requests_get_documented_refusals(api: Api) -> None:
    sweep(api, GenerationMode.NEGATIVE, api.send)


def test_every_route_wants_a_credential_unless_it_says_otherwise(
    api: Api, stack: RunningStack
) -> None:
    with stack.http() as bare:
        for path, methods in api.document["paths"].items():
            for method, operation in methods.items():
                if not operation["security"]:
                    continue
                filled = re.sub(r"{\w+}", str(uuid.uuid4()), path)
                response = bare.request(method.upper(), f"/v1.0{filled}")
                assert response.status_code == 401, f"{method} {path}"
                assert response.json()["error"]["status"] == "UNAUTHENTICATED"


def test_every_route_answers_with_and_without_the_version(api: Api, stack: RunningStack) -> None:
    key = {"accesskey": stack.access_key}
    with stack.http() as bare:
        for path, methods in api.document["paths"].items():
            if "get" not in methods or path in STREAMS:
                continue
            ids = {name: api.known_id(path, name) for name in re.findall(r"{(\w+)}", path)}
            filled = path.format(**ids)
            answers = [bare.get(f"{prefix}{filled}", params=key) for prefix in ("", "/v1.0")]
            codes = {answer.status_code for answer in answers}
            assert len(codes) == 1, path
            assert codes <= {200, 404}, path
            if 404 in codes:
                assert answers[0].json()["error"]["reason"] != "ROUTE_NOT_FOUND", path
