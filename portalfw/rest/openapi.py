"""The OpenAPI 3.1 document of all methods, made from their declarations."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

import portalfw
from portalfw.rest.async_schema import PARAMETERS, RESPONSES, TASK_ID, asynchronous
from portalfw.rest.declaration import Method
from portalfw.rest.errors import STATUS, ErrorBody
from portalfw.rest.examples import sample
from portalfw.rest.list_schema import TOTAL, columns_of, table_of
from portalfw.rest.schema import Schema, answer_schema, argument_schemas, example_of, schema_of, without_null

JSON = "application/json"
ERRORS = sorted({*STATUS.values()})
MEANINGS = {
    400: "An argument is missing or wrong; `detail.argument` names it.",
    401: "Nobody is signed in, or the credential is unknown, expired or revoked.",
    403: "The caller is known and lacks the right; the message says which.",
    404: "The method, or the object that an argument names, does not exist.",
    405: "The method does not answer this verb.",
    409: "The object is in a state that does not allow this; the message names the state.",
    413: "The request is too large.",
    429: "Too many requests; `Retry-After` says when to try again.",
    500: "Something unexpected; the server has logged it under `id`.",
    503: "Something that this needs is away or full; trying again later may work.",
}
SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API token: `portalfw token create`."},
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "portalfw_session",
        "description": "A browser's session; over https the name begins with __Host-.",
    },
}


def document(methods: Iterable[Method]) -> dict[str, Any]:
    """Return the OpenAPI document of ``methods``, as plain JSON-able data."""
    components: dict[str, Schema] = {}
    paths: dict[str, Any] = {}
    tags: dict[str, str] = {}
    schema_of(ErrorBody, components)
    components["TaskId"] = TASK_ID
    for method in methods:
        paths[f"/restmachine/{method.address}"] = _path(method, components)
        tags[tag_of(method)] = inspect.getdoc(method.actor_class) or ""
    return {
        "openapi": "3.1.0",
        "info": {"title": "portalfw", "version": portalfw.__version__, "description": "Methods of this installation."},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}, {"cookie": []}],
        "tags": [{"name": name, "description": text} for name, text in sorted(tags.items())],
        "paths": paths,
        "components": {
            "schemas": {name: _public(schema) for name, schema in sorted(components.items())},
            "parameters": PARAMETERS,
            "responses": {f"Error{status}": _error(status) for status in ERRORS} | RESPONSES,
            "securitySchemes": SCHEMES,
        },
    }


def tag_of(method: Method) -> str:
    """Return the tag of a method: ``app/actor``."""
    return f"{method.app}/{method.actor}"


def _path(method: Method, components: dict[str, Schema]) -> dict[str, Any]:
    schemas = argument_schemas(method, components)
    shared = _shared(method, answer_schema(method, components), components)
    name = method.address.replace("/", "_")
    found = {}
    if "GET" in method.declaration.http:
        parameters = [_parameter(argument.wire, argument.required, schemas) for argument in method.arguments]
        found["get"] = {
            **shared,
            "operationId": f"{name}_by_get",
            "parameters": parameters,
            **asynchronous(method, "get"),
        }
    if "POST" in method.declaration.http:
        extra = asynchronous(method, "post")
        found["post"] = {**shared, "operationId": name, "requestBody": _body(method, schemas), **extra}
        if extra:
            found["post"]["responses"] = {**shared["responses"], "202": {"$ref": "#/components/responses/Accepted"}}
    return found


def _shared(method: Method, answer: Schema, components: dict[str, Schema]) -> dict[str, Any]:
    declaration = method.declaration
    found = {
        "tags": [tag_of(method)],
        "summary": method.title,
        "description": method.doc,
        "x-right": declaration.right,
        "x-readonly": declaration.readonly,
        "x-destructive": declaration.destructive,
        "responses": {
            "200": _success(method, answer, components),
            **{str(status): {"$ref": f"#/components/responses/Error{status}"} for status in ERRORS},
        },
    }
    if method.gathered is not None:
        found |= {"x-columns": columns_of(method.gathered.columns), "x-datatables": table_of(answer)}
    return found | ({"security": [{}, *({name: []} for name in SCHEMES)]} if is_open(method) else {})


def _success(method: Method, answer: Schema, components: dict[str, Schema]) -> dict[str, Any]:
    example = sample(answer, method.declaration.creates or method.name, components)
    found = {"description": "The answer.", "content": {JSON: {"schema": answer, "example": example}}}
    return found if method.gathered is None else {**found, "headers": TOTAL}


def is_open(method: Method) -> bool:
    """Tell whether a guest may call a method."""
    return "guest" in method.declaration.right.split("|")


def _parameter(wire: str, required: bool, schemas: dict[str, Schema]) -> dict[str, Any]:
    schema = without_null(schemas[wire])
    found: dict[str, Any] = {"name": wire, "in": "query", "required": required}
    if "description" in schema:
        found["description"] = schema["description"]
    if schema.get("type") == "object":
        return found | {"content": {JSON: {"schema": schema}}}
    return found | {"schema": schema}


def _body(method: Method, schemas: dict[str, Schema]) -> dict[str, Any]:
    required = [argument.wire for argument in method.arguments if argument.required]
    schema: Schema = {"type": "object", "properties": schemas}
    if required:
        schema["required"] = required
    return {
        "required": bool(required),
        "content": {JSON: {"schema": schema, "example": example_of(schemas, method)}},
    }


def _error(status: int) -> dict[str, Any]:
    code = next(code for code, number in STATUS.items() if number == status)
    example = {"error": code, "message": "What was wrong, and what to do.", "detail": None, "id": "5f1c…"}
    schema = {"$ref": "#/components/schemas/ErrorBody"}
    text = MEANINGS.get(status, code)
    return {"description": text, "content": {JSON: {"schema": schema, "example": example}}}


def _public(schema: Schema) -> Schema:
    return {name: value for name, value in schema.items() if name != "x-module"}
