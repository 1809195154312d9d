"""The ASGI application: its routes, and the OpenAPI document that describes them."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any, TextIO

import orjson
from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from .. import __version__
from . import browse
from .access import Access
from .call import Call
from .describe import described, problems_of
from .documents import (
    AlertsAnswer,
    CapabilityPage,
    FeedbackAnswer,
    FeedbackBody,
    GraphAnswer,
    HistoryAnswer,
    ModelsAnswer,
    MovedAnswer,
    PromoteBody,
    RankAnswer,
    RankBody,
    RollbackBody,
    StatsAnswer,
    Status,
    SyncAnswer,
    SyncBody,
    ToolPage,
    WhyNotAnswer,
    WhyNotBody,
)
from .gate import Direct, Gate
from .logs import Requests
from .page import HEADERS, Page
from .problems import MEDIA_TYPE, Problem, of_error, of_status
from .service import Service

Offset = Annotated[int, Query(ge=0, le=1 << 31, description="Items to pass over; `next_offset` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=browse.MOST, description="Items of a page.")]
Words = Annotated[str, Query(max_length=200, description="In the id or the text.")]


def create_app(service: Service, log: TextIO | None = None) -> Gate:
    """The application of a service.

    Parameters
    ----------
    service : what answers
    log : where a line of JSON goes for each request, None for nowhere
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await service.start()
        yield
        await service.stop()

    app = FastAPI(
        title="shgat", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False,
        summary="Ranks tools for an intent, and learns the ranking from what worked.",
    )  # fmt: skip
    direct: dict[tuple[str, str], Direct] = {
        ("POST", "/v1/rank"): service.answers.rank,
        ("POST", "/v1/why-not"): service.answers.why_not,
        ("POST", "/v1/feedback"): service.answers.feedback,
    }
    _documented(app)
    _catalogue(app, service)
    _models(app, service)
    access = Access(service.keys, service.limits, service.opened)
    gate = Gate(app, direct, access, service.limits, service.metrics, Requests(log), service.spans)
    _operations(app, service, gate)
    _page(app)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(Exception, _any)
    return gate


def _documented(app: FastAPI) -> None:
    """What the gate answers without a framework: here for the document alone."""

    async def never(request: Request) -> Response:
        raise Problem("failed", "the gate answers this path")

    for path, body, answer, name, said, kinds in (
        ("/v1/rank", RankBody, RankAnswer, "rank", "The best items for an intent.", ()),
        ("/v1/why-not", WhyNotBody, WhyNotAnswer, "why_not", "Why a tool does not stand first.", ("not-found",)),
        ("/v1/feedback", FeedbackBody, FeedbackAnswer, "feedback", "What was executed after a decision; counts once.", ()),
    ):
        extra: dict[str, Any] = {"x-body": body.__name__}
        if name == "feedback":
            about = "Answers the same again to the same feedback sent again; to another one it is refused."
            header = {"name": "Idempotency-Key", "in": "header", "required": False, "description": about}
            extra["parameters"] = [{**header, "schema": {"type": "string", "maxLength": 255}}]
        app.add_api_route(
            path, never, methods=["POST"], response_model=answer, operation_id=name, summary=said, openapi_extra=extra,
            responses=problems_of(path, "malformed", "media-type", "too-large", "too-slow", "invalid", *kinds),
        )  # fmt: skip


def _catalogue(app: FastAPI, service: Service) -> None:
    @app.get("/v1/tools", response_model=ToolPage, operation_id="tools", summary="Tools of the catalogue.",
             responses=problems_of("/v1/tools", "invalid"))  # fmt: skip
    async def tools(offset: Offset = 0, limit: Limit = 100, q: Words = "", server: Words = "") -> Response:
        return _json(browse.tools(service.ranker.catalog, offset, limit, q, server))

    @app.get("/v1/capabilities", response_model=CapabilityPage, operation_id="capabilities", summary="Capabilities of the catalogue.",
             responses=problems_of("/v1/capabilities", "invalid"))  # fmt: skip
    async def capabilities(offset: Offset = 0, limit: Limit = 100, q: Words = "") -> Response:
        return _json(browse.capabilities(service.ranker.catalog, offset, limit, q))

    @app.get("/v1/graph", response_model=GraphAnswer, operation_id="graph", summary="What contains an item, and what it contains.",
             responses=problems_of("/v1/graph", "invalid", "not-found"))  # fmt: skip
    async def graph(
        focus: Annotated[str, Query(max_length=1000, description="An id; empty: what nothing contains.")] = "",
    ) -> Response:
        return _json(browse.neighbours(service.ranker.catalog, focus))

    @app.post("/v1/catalog/sync", response_model=SyncAnswer, operation_id="sync_catalog", summary="Brings the catalogue to a snapshot.",
              responses=problems_of("/v1/catalog/sync", "malformed", "media-type", "too-large", "too-slow", "invalid"),
              openapi_extra={"x-body": "SyncBody"})  # fmt: skip
    async def sync(request: Request) -> Response:
        body = _body(request, SyncBody)
        return _json((await asyncio.to_thread(service.ranker.sync, body.snapshot, body.server)).to_dict())


def _models(app: FastAPI, service: Service) -> None:
    @app.get("/v1/models", response_model=ModelsAnswer, operation_id="models", summary="Versions, aliases and their latest moves.",
             responses=problems_of("/v1/models"))  # fmt: skip
    async def models() -> Response:
        return _json(await asyncio.to_thread(service.versions.listed))

    bodied = ("malformed", "media-type", "too-large", "too-slow", "invalid", "not-found", "conflict")

    @app.post("/v1/models/{id}/promote", response_model=MovedAnswer, operation_id="promote", summary="Lets an alias name a version.",
              responses=problems_of("/v1/models", *bodied), openapi_extra={"x-body": "PromoteBody"})  # fmt: skip
    async def promote(id: str, request: Request) -> Response:
        body, who = _body(request, PromoteBody), f"key {_call(request).caller}"
        told = (id, body.alias, who, body.why, body.force, body.percent, body.hours)
        return _json(await asyncio.to_thread(service.versions.promote, *told))

    @app.post("/v1/models/{id}/rollback", response_model=MovedAnswer, operation_id="rollback", summary="Lets an alias go back.",
              responses=problems_of("/v1/models", *bodied), openapi_extra={"x-body": "RollbackBody"})  # fmt: skip
    async def rollback(id: str, request: Request) -> Response:
        body, who = _body(request, RollbackBody), f"key {_call(request).caller}"
        return _json(await asyncio.to_thread(service.versions.rollback, id, body.alias, who, body.why))


def _operations(app: FastAPI, service: Service, gate: Gate) -> None:
    @app.get("/healthz", response_model=Status, operation_id="healthz", summary="Does the process live?")
    async def healthz() -> Response:
        return _json({"status": "ok"})

    @app.get(
        "/readyz",
        response_model=Status,
        operation_id="readyz",
        summary="May requests come here?",
        responses={503: {"model": Status}},
    )
    async def readyz() -> Response:
        return _json({"status": "draining"}, 503) if gate.draining else _json({"status": "ready"})

    @app.get(
        "/v1/stats", response_model=StatsAnswer, operation_id="stats", summary="How it is.", responses=problems_of("/v1/stats")
    )
    async def stats() -> Response:
        return _json(await asyncio.to_thread(service.stats))

    @app.get("/v1/history", response_model=HistoryAnswer, operation_id="history", summary="How it was, for the last hour.",
             responses=problems_of("/v1/history"))  # fmt: skip
    async def history() -> Response:
        return _json(service.curve.to_dict())

    @app.get("/v1/alerts", response_model=AlertsAnswer, operation_id="alerts", summary="What is not as it should be.",
             responses=problems_of("/v1/alerts"))  # fmt: skip
    async def alerts() -> Response:
        return _json(service.monitor.to_dict())

    @app.get("/metrics", response_class=Response, operation_id="metrics", summary="For Prometheus.",
             responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **problems_of("/metrics")})  # fmt: skip
    async def metrics() -> Response:
        return Response(await asyncio.to_thread(service.metrics.text), media_type=CONTENT_TYPE_LATEST)

    made: list[bytes] = []

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi() -> Response:
        if not made:
            made.append(orjson.dumps(described(app, service.ranker.catalog.dimension)))
        return Response(made[0], media_type="application/json", headers={"cache-control": "no-cache"})


def _page(app: FastAPI) -> None:
    page = Page()

    @app.get("/", include_in_schema=False)
    @app.get("/ui", include_in_schema=False)
    async def to_page() -> Response:
        return RedirectResponse("/ui/", 307)

    @app.get("/ui/{name}", include_in_schema=False)
    async def file(name: str) -> Response:
        content, kind = page.file(name)
        return Response(content, media_type=kind, headers=dict(HEADERS))

    @app.get("/ui/", include_in_schema=False)
    async def index() -> Response:
        return await file("index.html")


def _call(request: Request) -> Call:
    call: Call = request.state.call
    return call


def _body(request: Request, model: Any) -> Any:
    """The checked body; an empty one is an empty object."""
    call = _call(request)
    given = call.json() if call.body else {}
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise _invalid(error.errors(include_url=False, include_context=False, include_input=False)) from None


def _invalid(errors: Any) -> Problem:
    first = errors[0]
    where = ".".join(str(part) for part in first["loc"]) or "the body"
    more = [{"where": [str(part) for part in e["loc"]], "what": e["msg"]} for e in errors[:20]]
    return Problem("invalid", f"{where}: {first['msg']}", extra={"errors": more})


def _json(value: Any, status: int = 200) -> Response:
    body = orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(body, status, {"cache-control": "no-store", "x-content-type-options": "nosniff"}, "application/json")


def _answered(request: Request, problem: Problem) -> Response:
    headers: Mapping[str, str] = {"cache-control": "no-store", "x-content-type-options": "nosniff", **problem.headers}
    return Response(problem.document(_call(request).id), problem.status, headers, MEDIA_TYPE)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _answered(request, of_status(error.status_code, str(error.detail), error.headers))


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return _answered(request, _invalid(error.errors()))


async def _any(request: Request, error: Exception) -> Response:
    return _answered(request, of_error(error))
