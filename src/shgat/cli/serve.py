"""`shgat serve`: a ranker over HTTP, with its page, and the keys of those who may ask."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import given

if TYPE_CHECKING:
    from ..serving import Ranker
    from ..web import Service

app = typer.Typer(name="serve", rich_markup_mode=None, invoke_without_command=True)
keys = typer.Typer(name="keys", help="Keys of those who may ask.", rich_markup_mode=None)
app.add_typer(keys, name="keys")

Json = Annotated[bool, typer.Option("--json", help="JSON for programs.")]
File = Annotated[Path, typer.Option("--keys", envvar="SHGAT_KEYS", metavar="FILE", help="The file of keys.", dir_okay=False)]
Scopes = Annotated[
    list[str], typer.Option("--scope", metavar="NAME", help="rank, feedback, catalog, admin or metrics; several with commas.")
]

_UNHURRIED = 4.0  # seconds from feedback to the training that learns from it, in a demonstration


class Mode(StrEnum):
    """When it learns."""

    live = "live"
    batch = "batch"
    off = "off"


@app.callback(short_help="Serve a ranker over HTTP, with a page.")
def serve(
    context: typer.Context,
    catalog: Annotated[Path | None, given.folder("The catalogue.  [default: the store's own copy]")] = None,
    store: Annotated[
        str | None, typer.Option("--store", envvar="SHGAT_STORE_URL", metavar="URL", help="Where decisions, feedback and versions lie.")
    ] = None,
    demo: Annotated[bool, typer.Option("--demo", help="The sample, a store that goes at the end, and visitors.")] = False,
    host: Annotated[str, typer.Option(metavar="NAME", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="0: any that is free.")] = 8321,
    fd: Annotated[int | None, typer.Option(metavar="N", min=0, help="A socket that is listening already, in place of both.")] = None,
    keys: Annotated[
        Path | None,
        given.file("Who may ask.  [default: one key for this run, which is printed]", "FILE", "--keys"),
    ] = None,
    opened: Annotated[
        list[str] | None,
        typer.Option("--open", metavar="SCOPE", help="rank, feedback or metrics without a key, for programs of this machine."),
    ] = None,
    mode: Annotated[Mode, typer.Option(help="When it learns.")] = Mode.live,
    encoder: Annotated[str | None, typer.Option(metavar="NAME", help="What makes vectors of texts.")] = None,
    user: Annotated[str, typer.Option(metavar="ID", help="Whose model.")] = "local",
    rate: Annotated[float | None, typer.Option(metavar="N", min=0.001, help="Requests a second of a key.  [default: any]")] = None,
    linger: Annotated[float, typer.Option(metavar="S", min=0.0, max=600.0, help="Seconds it still listens after SIGTERM.")] = 1.0,
    workers: Annotated[
        int, typer.Option(metavar="N", min=1, max=256, help="Processes that answer; they share one copy of the model.")
    ] = 1,
    webhook: Annotated[
        str | None, typer.Option(envvar="SHGAT_WEBHOOK", metavar="URL", help="Is told of alerts; SHGAT_WEBHOOK_TOKEN is its bearer token.")
    ] = None,
    otlp: Annotated[
        str | None, typer.Option(metavar="URL", help="Spans go to this collector, http://localhost:4318 for instance.")
    ] = None,
    evaluate_every: Annotated[
        float, typer.Option(metavar="S", min=0.1, max=3600.0, help="Seconds between two looks at whether all is well.")
    ] = 15.0,
    access_log: Annotated[bool, typer.Option(help="A line of JSON on stderr for each request.")] = True,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Serve a ranker over HTTP, with a page at /ui, until SIGTERM. Needs `pip install '.[serve,store]'`."""
    if context.invoked_subcommand is not None:
        return
    if demo:
        given.refuse({"--catalog": catalog, "--store": store}, "without --demo", "with it")
    elif store is None:
        raise given.WrongUsage("give --store URL, sqlite:///shgat.db for instance, or --demo")
    if demo and workers > 1:
        raise given.WrongUsage("--demo has one worker")
    if workers > 1:
        given.refuse({"--webhook": webhook, "--otlp": otlp}, "with one worker", "with several: each would send for itself")
    if fd is not None and not keys:
        raise given.WrongUsage("--fd needs --keys FILE: nobody knows from where that socket can be reached")
    _installed()
    from ..web import Limits
    from ..web.logs import configure
    from ..web.server import bind, check_exposure, inherited
    from ..web.server import serve as run
    from ..web.workers import Workers

    check_exposure(host, keys is not None)
    configure()
    with contextlib.ExitStack() as stack:
        bound = stack.enter_context(contextlib.closing(bind(host, port) if fd is None else inherited(fd)))
        known = _demonstration(stack) if demo else (catalog, store)
        ranker = stack.enter_context(
            _ranker(known[0], str(known[1]), user, mode=mode.value, encoder=encoder, debounce=_UNHURRIED if demo else 1.0)
        )
        watching = _watching(webhook, otlp, evaluate_every)
        service, secret = _service(
            ranker, str(known[1]), keys, demo, user_id=user, opened=given.names(opened), limits=Limits(rate=rate), **watching
        )
        if demo:
            stack.enter_context(_visitors(ranker, service))

        def one(first: bool = True) -> None:
            run(
                service,
                bound,
                access_log=access_log,
                linger=linger,
                started=lambda: _tell(bound, secret, as_json) if first else None,
            )

        def worker(first: bool) -> None:
            try:
                ranker.refresh()
                one(first)
            finally:
                ranker.close()

        one() if workers == 1 else Workers(workers, worker).run()


def _installed() -> None:
    """What a server needs, or a MissingExtraError that says how to get it."""
    from importlib import import_module

    from ..errors import MissingExtraError

    for module, extra in (("fastapi", "serve"), ("uvicorn", "serve"), ("httptools", "serve"), ("prometheus_client", "serve"),
                          ("sqlalchemy", "store")):  # fmt: skip
        try:
            import_module(module)
        except ImportError:
            raise MissingExtraError(module, extra) from None


def _demonstration(stack: contextlib.ExitStack) -> tuple[Path, str]:
    from .sample import SAMPLE

    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="shgat-demo-"))
    return SAMPLE, f"sqlite:///{folder}/store.db"


def _ranker(catalog: Path | None, url: str, user: str, **options: Any) -> "Ranker":
    from ..graph import Catalog
    from ..serving import Ranker
    from ..store import Store

    known: Any = catalog
    if catalog is None:
        with Store.open(url) as store:
            tools, capabilities = store.catalog()
        if not tools:
            raise given.WrongUsage(f"{url.rpartition('@')[2]} holds no catalogue yet: give --catalog DIR")
        known = Catalog.from_records(tools, capabilities)
    return Ranker.open(url, known, user_id=user, **options)


def _watching(webhook: str | None, otlp: str | None, every: float) -> dict[str, Any]:
    """Options of a service: how it is watched, and who is told."""
    from ..monitoring import MonitorSettings, Spans, Webhook

    return {
        "monitoring": MonitorSettings(every=every, window=max(300.0, 20.0 * every)),
        "receivers": [Webhook(webhook, os.environ.get("SHGAT_WEBHOOK_TOKEN", ""))] if webhook else (),
        "spans": Spans.exported(otlp) if otlp else None,
    }


def _service(ranker: "Ranker", url: str, file: Path | None, demo: bool, **options: Any) -> "tuple[Service, str]":
    """The service, and the secret of the key that was made for this run, "" where there is a file of keys."""
    from ..web import Key, KeyFile, Keys, Service
    from ..web.keys import SCOPES

    if file is not None:
        return Service(ranker, url, Keys(KeyFile(file)), **options), ""
    key, secret = Key.make("this run", [s for s in SCOPES if demo or s != "admin"])
    return Service(ranker, url, Keys(given=[key]), **options), secret


@contextlib.contextmanager
def _visitors(ranker: "Ranker", service: "Service") -> Iterator[None]:
    from ..traces import Trace
    from ..traces.files import read_traces
    from ..web.demo import Visitors
    from .sample import SAMPLE

    traces = [trace for _, trace in read_traces(SAMPLE / "train.jsonl") if isinstance(trace, Trace)]
    with Visitors(ranker, service.curve, traces):
        yield


def _tell(bound: Any, secret: str, as_json: bool) -> None:
    import sys

    from ..web.server import url_of
    from . import output

    url = url_of(bound)
    page = f"{url}/ui/" + (f"#key={secret}" if secret else "")
    if as_json:
        output.write_json({"url": url, "page": page, "key": secret or None})
    else:
        output.write_lines(f"page  {page}", f"API   {url}/v1/rank", *([f"key   {secret}   (for this run alone)"] if secret else []))
    sys.stdout.flush()


@keys.callback()
def _keys() -> None:
    """Keys of those who may ask: made once, shown once, kept as hashes."""


@keys.command(short_help="Make a key, and print it once.")
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose it is, in words.")],
    scope: Scopes,
    keys: File = Path("keys.json"),
    rate: Annotated[float | None, typer.Option(metavar="N", min=0.001, help="Requests a second.  [default: the server's]")] = None,
    as_json: Json = False,
) -> None:
    """Make a key and print it, once: the file keeps its hash alone. A server that runs takes it within a second."""
    _installed()
    from ..web import KeyFile
    from . import output

    given.writable(keys, "--keys")
    key, secret = KeyFile(keys).add(name, given.names(scope), rate)
    if as_json:
        output.write_json({"id": key.id, "name": key.name, "scopes": key.scopes, "key": secret})
    else:
        output.note(f"{key.name}: {', '.join(key.scopes)}; it is not shown again")
        output.write_lines(secret)


@keys.command("list", short_help="Who has which scopes.")
def list_(keys: File = Path("keys.json"), as_json: Json = False) -> None:
    """Who has which scopes. The keys themselves nobody can read any more."""
    _installed()
    from ..web import KeyFile
    from . import output
    from .grid import Grid
    from .versions import day

    found = KeyFile(given.present(keys, "`shgat serve keys add` makes it")).keys()
    if as_json:
        output.write_json({"keys": [{n: v for n, v in vars(key).items() if n != "sha256"} for key in found]})
        return
    grid = Grid("keys")
    for column in ("id", "name", "scopes", "rate", "made"):
        grid.add_column(column)
    for key in found:
        grid.add_row(key.id, key.name, ", ".join(key.scopes), "-" if key.rate is None else f"{key.rate:g}/s", day(key.created_at))
    output.write(*([grid] if found else ["There is no key."]))


@keys.command(short_help="Take a key away.")
def revoke(
    key: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")],
    keys: File = Path("keys.json"),
    as_json: Json = False,
) -> None:
    """Take a key away. A server that runs refuses it within a second."""
    _installed()
    from ..web import KeyFile
    from . import output

    gone = KeyFile(given.present(keys, "`shgat serve keys add` makes it")).revoke(key)
    if as_json:
        output.write_json({"id": gone.id, "name": gone.name, "revoked": True})
    else:
        output.write_lines(f"{gone.id} ({gone.name}) is revoked")
