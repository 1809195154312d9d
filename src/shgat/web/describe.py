"""The OpenAPI 3.1 document: what FastAPI knows of the routes, with the bodies, keys and problems that it does not."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from .access import scope_of
from .documents import FeedbackBody, ProblemDocument, PromoteBody, RankBody, RollbackBody, SyncBody, WhyNotBody
from .problems import KINDS, MEDIA_TYPE

_BODIES = (RankBody, WhyNotBody, FeedbackBody, SyncBody, PromoteBody, RollbackBody)
_OPTIONAL = ("PromoteBody", "RollbackBody")
_EVERYWHERE = ("method-not-allowed", "failed", "unavailable")
_REFERENCE = "#/components/schemas/{model}"
_REFUSED = "reused-key"


def problems_of(path: str, *kinds: str) -> dict[int | str, dict[str, Any]]:
    """What a path may answer instead; those of the gate are added where a key is needed."""
    closed = ("unauthorised", "forbidden", "too-many") if scope_of(path) is not None else ()
    found: dict[int | str, dict[str, Any]] = {}
    for kind in (*kinds, *closed, "failed", "unavailable"):
        status, title = KINDS[kind]
        schema = {"$ref": _REFERENCE.format(model="ProblemDocument")}
        found[status] = {"description": title, "content": {MEDIA_TYPE: {"schema": schema}}}
    return found


def described(app: FastAPI, dimension: int) -> dict[str, Any]:
    """The document of an application over a catalogue of that dimension."""
    document = get_openapi(
        title=app.title, version=app.version, summary=app.summary, routes=app.routes, openapi_version="3.1.0",
        description="Every error is a problem document (RFC 9457). Scopes of keys: rank, feedback, catalog, admin, metrics.",
    )  # fmt: skip
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    _, made = models_json_schema([(m, "validation") for m in (*_BODIES, ProblemDocument)], ref_template=_REFERENCE)
    schemas.update(made["$defs"])
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for body in ("RankBody", "WhyNotBody"):
        _bound(schemas[body], dimension)
    schemas["FeedbackBody"]["anyOf"] = [{"required": ["tools"]}, {"required": ["capability_id"]}]
    document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer", "description": "shgat_..."}}
    for path, operations in document["paths"].items():
        needed = scope_of(path)
        for operation in operations.values():
            _complete(operation, needed)
    return document


def _bound(schema: dict[str, Any], dimension: int) -> None:
    """As many numbers as the catalogue has dimensions."""
    numbers, packed = schema["properties"]["embedding"]["anyOf"][0], schema["properties"]["embedding_base64"]["anyOf"][0]
    numbers["minItems"] = numbers["maxItems"] = dimension
    characters = 4 * -(-4 * dimension // 3)
    packed["minLength"] = packed["maxLength"] = characters
    schema["anyOf"] = [{"required": [name]} for name in ("embedding", "embedding_base64", "text")]


def _complete(operation: dict[str, Any], scope: str | None) -> None:
    operation["security"] = [] if scope is None else [{"key": []}]
    if scope is not None:
        operation["description"] = f"{operation.get('description', '')} Needs a key with the scope `{scope}`.".strip()
    body = operation.pop("x-body", None)
    if body is not None:
        content = {"application/json": {"schema": {"$ref": _REFERENCE.format(model=body)}}}
        operation["requestBody"] = {"required": body not in _OPTIONAL, "content": content}
    unprocessable = operation["responses"].get("422")
    if unprocessable is not None and MEDIA_TYPE not in unprocessable["content"]:  # the framework's own, which nobody sends
        del operation["responses"]["422"]
