"""What the OpenAPI document says of calls that answer with a task: by ``Prefer``, or by ``_async`` as before."""

from __future__ import annotations

from typing import Any, Final

from portalfw.rest.declaration import Method

TASK_ID: Final = {
    "type": "string",
    "format": "uuid",
    "description": (
        "A call that goes on. `system/task/status` tells its steps and its end, `/events?topics=task:<id>` streams "
        "them to who started it, `system/task/kill` ends it early."
    ),
}
PARAMETERS: Final[dict[str, Any]] = {
    "Prefer": {
        "name": "Prefer",
        "in": "header",
        "required": False,
        "schema": {"type": "string", "enum": ["respond-async"]},
        "description": "A call that has not ended after 50 ms is answered with 202 and the id of its task (RFC 7240).",
    },
    "Async": {
        "name": "_async",
        "in": "query",
        "required": False,
        "schema": {"type": "boolean", "default": False},
        "description": (
            "Answer 200 with the id of a task, also if the call has ended by then; in the query string, the form or "
            "the body. `system/task/get` tells the outcome."
        ),
    },
}
RESPONSES: Final[dict[str, Any]] = {
    "Accepted": {
        "description": "The call goes on; this is the id of its task.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/TaskId"}}},
    }
}


def asynchronous(method: Method, verb: str) -> dict[str, Any]:
    """Return what an operation says beyond its own: the header, the answer 202, and ``x-async`` for older clients.

    ``_async`` changes what 200 answers with, which OpenAPI cannot tell of a parameter; so it stands in an extension.
    """
    if method.declaration.secret:  # no task may keep what it answers
        return {}
    old = {"parameter": {"$ref": "#/components/parameters/Async"}, "answer": {"$ref": "#/components/schemas/TaskId"}}
    found: dict[str, Any] = {"x-async": old}
    if verb == "post":
        found["parameters"] = [{"$ref": "#/components/parameters/Prefer"}]
    return found
