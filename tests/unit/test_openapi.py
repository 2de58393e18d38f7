"""The OpenAPI description: complete, consistent, and true to what functions take and give."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import orjson
import pytest

import server
from runtime.api.call import Body, Call, EventStream, Operation, Reply
from runtime.api.openapi import DOCS_PAGE, describe
from runtime.engine import Engine


class Question(Body):
    """What is asked."""

    text: str
    kind: str | None = None


async def stream_answer(engine: Engine, call: Call, body: Question) -> EventStream:
    """Answer a question.

    Word by word.
    """
    raise NotImplementedError


async def answer_either_way(engine: Engine, call: Call) -> Reply | EventStream:
    """Answer, at once or word by word."""
    raise NotImplementedError


OPERATIONS = [
    Operation("POST", "/questions/{question_id}/stream/{part}", stream_answer),
    Operation("GET", "/questions/{question_id}", answer_either_way),
    *server.OPERATIONS,
]


@pytest.fixture(scope="module")
def api() -> dict[str, Any]:
    """As a client reads it."""
    read: dict[str, Any] = orjson.loads(orjson.dumps(describe(OPERATIONS, "1.2.3")))
    return read


def described(api: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method and operation of each."""
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def references(value: Any) -> Iterator[str]:
    """All that is referred to."""
    if isinstance(value, dict):
        yield from (value["$ref"] for _ in [0] if isinstance(value.get("$ref"), str))
        for part in value.values():
            yield from references(part)
    elif isinstance(value, list):
        for part in value:
            yield from references(part)


def test_every_operation_is_described(api: dict[str, Any]) -> None:
    """A client is generated from it: what is missing here cannot be called there."""
    assert (api["openapi"], api["info"]["version"]) == ("3.1.0", "1.2.3")
    found = {(method.upper(), path) for path, method, _ in described(api)}
    assert {(op.method, op.path) for op in OPERATIONS} < found
    for _, _, operation in described(api):
        assert operation["summary"] and operation["tags"][0]
    ids = [operation["operationId"] for _, _, operation in described(api)]
    assert len(set(ids)) == len(ids)


def test_path_parameters_are_those_of_the_path(api: dict[str, Any]) -> None:
    """A validator refuses a path whose parameters are not declared."""
    for path, _, operation in described(api):
        declared = [p["name"] for p in operation["parameters"] if p["in"] == "path" and p["required"]]
        assert declared == re.findall(r"\{(\w+)\}", path)


def test_every_reference_leads_somewhere(api: dict[str, Any]) -> None:
    """The models refer to each other by names that the document holds."""
    schemas = api["components"]["schemas"]
    found = set(references(api))
    assert found
    for reference in found:
        assert reference.removeprefix("#/components/schemas/") in schemas
    for name in schemas:
        assert re.fullmatch(r"[a-zA-Z0-9._-]+", name)


def test_a_body_is_its_model(api: dict[str, Any]) -> None:
    """Fields, what is required, and bounds come from the model that checks them."""
    create = api["paths"]["/assistants"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    schema = api["components"]["schemas"][create["$ref"].rpartition("/")[2]]
    assert schema["required"] == ["graph_id"]
    search = api["components"]["schemas"]["AssistantSearch"]["properties"]
    assert (search["limit"]["minimum"], search["limit"]["maximum"]) == (1, 1_000)
    assert "requestBody" not in api["paths"]["/assistants/{assistant_id}"]["get"]


def test_answers_are_told_by_what_functions_return(api: dict[str, Any]) -> None:
    """JSON, events or either; and always the one form of an error."""
    paths = api["paths"]
    streamed = paths["/questions/{question_id}/stream/{part}"]["post"]
    assert list(streamed["responses"]["200"]["content"]) == ["text/event-stream"]
    assert (streamed["summary"], streamed["description"]) == ("Answer a question", "Word by word.")
    either = paths["/questions/{question_id}"]["get"]["responses"]["2XX"]["content"]
    assert sorted(either) == ["application/json", "text/event-stream"]
    assert list(paths["/assistants/{assistant_id}"]["get"]["responses"]) == ["200", "default"]
    for path, _, operation in described(api):
        if not path.endswith("/stream/events"):
            error = operation["responses"]["default"]["content"]["application/json"]["schema"]
            assert error == {"$ref": "#/components/schemas/Error"}
    assert list(api["components"]["schemas"]["Error"]["properties"]) == ["detail", "code", "correlation_id"]


def test_the_socket_is_told_of_beside_the_events_over_http() -> None:
    """Both are on one path; OpenAPI knows no sockets, so words must do."""
    path = "/threads/{thread_id}/stream/events"
    both = describe([Operation("POST", path, stream_answer)], "1")["paths"][path]
    assert sorted(both) == ["get", "post"]
    assert "subscription.subscribe" in both["get"]["description"]


def test_the_page_needs_nothing_from_elsewhere() -> None:
    """It works on a machine without a network: no script, style or font of another place."""
    links: list[str] = []

    class Links(HTMLParser):
        """Collects what the page loads or leads to."""

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            links.extend(value or "" for name, value in attrs if name in ("src", "href"))

    Links().feed(DOCS_PAGE)
    assert links == ["openapi.json"]
    assert "://" not in DOCS_PAGE and "innerHTML" not in DOCS_PAGE
