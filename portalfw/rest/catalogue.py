"""The methods as older clients and the API page ask for them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypedDict

import portalfw
from portalfw.rest.declaration import Argument, Method

SWAGGER_TYPES = {"int": "integer", "float": "number", "bool": "boolean", "str": "string", "list": "array"}


class MethodRow(TypedDict):
    """One method as lists show it."""

    address: str
    app: str
    actor: str
    name: str
    title: str
    doc: str
    summary: str
    right: str
    verbs: list[str]
    readonly: bool
    destructive: bool
    effect: str  # reads, changes or destroys
    arguments: list[str]  # wire names, optional ones with a question mark
    command: str  # how the command line calls it


class ArgumentRow(TypedDict):
    """One argument as the page of its method shows it."""

    name: str
    type: str
    required: bool
    default: Any
    label: str
    help: str
    options: list[str]
    secret: bool


def swagger(methods: Iterable[Method]) -> dict[str, Any]:
    """Return a Swagger 2.0 document, which clients of the original read when they connect."""
    chosen = list(methods)
    return {
        "swagger": "2.0",
        "info": {"title": "portalfw", "version": portalfw.__version__},
        "basePath": "/restmachine",
        "consumes": ["application/x-www-form-urlencoded", "application/json"],
        "produces": ["application/json"],
        "tags": [{"name": name} for name in sorted({f"{method.app}__{method.actor}" for method in chosen})],
        "paths": {f"/{method.address}": {"post": _operation(method)} for method in chosen},
    }


def method_row(method: Method) -> MethodRow:
    """Return a method as lists show it."""
    return {
        "address": method.address,
        "app": method.app,
        "actor": method.actor,
        "name": method.name,
        "title": method.title,
        "doc": method.doc,
        "summary": method.doc.strip().split("\n", 1)[0],
        "right": method.declaration.right,
        "verbs": list(method.declaration.http),
        "readonly": method.declaration.readonly,
        "destructive": method.destructive,
        "effect": "reads" if method.declaration.readonly else "destroys" if method.destructive else "changes",
        "arguments": [argument.wire if argument.required else f"{argument.wire}?" for argument in method.arguments],
        "command": f"portalfw api {method.address.replace('/', ' ')}",
    }


def argument_row(argument: Argument) -> ArgumentRow:
    """Return an argument as the page of its method shows it."""
    return {
        "name": argument.wire,
        "type": argument.type_name,
        "required": argument.required,
        "default": None if argument.secret else argument.default,
        "label": argument.label,
        "help": argument.help,
        "options": list(argument.options),
        "secret": argument.secret,
    }


def _operation(method: Method) -> dict[str, Any]:
    return {
        "tags": [f"{method.app}__{method.actor}"],
        "operationId": f"post__{method.app}_{method.actor}_{method.name}",
        "summary": method.title,
        "description": method.doc or method.title,
        "parameters": [_parameter(argument) for argument in method.arguments],
        "responses": {"200": {"description": "The answer."}, "default": {"description": "What was wrong."}},
    }


def _parameter(argument: Argument) -> dict[str, Any]:
    kind = SWAGGER_TYPES.get(argument.type_name, "string")  # Swagger 2.0 has no objects in forms: JSON text
    found = {
        "name": argument.wire,
        "description": argument.help or argument.label,
        "required": argument.required,
        "type": kind,
        "in": "formData",
    }
    extra: dict[str, Any] = {"items": {"type": "string"}, "collectionFormat": "multi"} if kind == "array" else {}
    return found | extra | ({"enum": list(argument.options)} if argument.options else {})
