"""A small world with a habit: for each of eight wishes the tool whose words fit best fails, and another one works."""

import time

from shgat.integrations import ToolSearch

_PAIRS = (  # what fits by its words, what works, what is said of both, what is asked for at first, and later
    ("send_letter", "letter_service", "Sends a letter", "A letter is sent by it", "send a letter to Anna", "send the letter for Mr Hill"),
    ("create_invoice", "invoice_run", "Creates an invoice", "An invoice comes out of it", "create an invoice", "create the invoice of May"),
    ("book_room", "room_desk", "Books a room", "A room is had by it", "book a room for Monday", "book the large room"),
    ("translate_text", "text_bureau", "Translates a text", "A text is put so by it", "translate this text", "translate the text"),
    ("plot_chart", "chart_studio", "Plots a chart", "A chart is drawn by it", "plot a chart of sales", "plot the chart of costs"),
    ("backup_database", "database_vault", "Makes a backup", "A database is kept by it", "backup the database", "backup our database"),
    ("restart_server", "server_cycle", "Restarts a server", "A server begins anew by it", "restart the web server", "restart the mail server"),
    ("query_logs", "logs_trail", "Queries logs", "Logs are shown by it", "query the logs of today", "query yesterday's logs"),
)  # fmt: skip
WORKS = {fits: works for fits, works, *_ in _PAIRS}
FIRST = {asked: works for _, works, _, _, asked, _ in _PAIRS}
LATER = {asked: works for _, works, *_, asked in _PAIRS}
_ALL = {name: said for fits, works, one, other, *_ in _PAIRS for name, said in ((fits, one), (works, other))}


def worked(name):
    """Does a call of the tool work?"""
    return name in WORKS.values()


def chat_tools():
    """As OpenAI's chat has them."""
    return [{"type": "function", "function": {"name": n, "description": d, "parameters": _schema()}} for n, d in _ALL.items()]


def anthropic_tools():
    return [{"name": n, "description": d, "input_schema": _schema()} for n, d in _ALL.items()]


def response_tools():
    return [{"type": "function", "name": n, "description": d, "parameters": _schema(), "strict": False} for n, d in _ALL.items()]


def names():
    return list(_ALL)


def description(name):
    return _ALL[name]


def open_search(folder, tools=None, **options):
    """Over a store in a folder; nothing trains beside the test."""
    return ToolSearch.open(tools, f"sqlite:///{folder / 'tools.db'}", mode="off", **options)


def hits(first_of, wishes):
    """The share of wishes for which the first tool is the one that works."""
    return sum(first_of(wish) == works for wish, works in wishes.items()) / len(wishes)


def _schema():
    return {"type": "object", "properties": {"of": {"type": "string", "description": "what it is about"}}}


def live_through(use, rounds=7):
    """Lets the wishes come up, each round in conversations of its own; `use(wish, session)` searches, and calls until something works."""
    for n in range(rounds):
        for wish in FIRST:
            use(wish, f"{n} {wish}")


def settle(search):
    """Waits until the store has what came in."""
    search._telling.submit(int).result(60)
    until = time.monotonic() + 60
    while search.ranker.stats()["waiting_for_store"]:
        assert time.monotonic() < until
        time.sleep(0.02)


def traces(search):
    """What the store has of calls."""
    settle(search)
    return list(search.ranker._journal.store.traces())


def trained(search):
    """Lets the ranking learn from what came in; what became of it."""
    settle(search)
    return search.ranker.maybe_train()


def assert_learned(search, find):
    """What `find(wish, session)` puts first fails before anything was learned, and works after the habit was lived and trained on."""

    def use(wish, session):
        for name in find(wish, session):
            search.called(name, worked(name), session=session)
            if worked(name):
                break

    assert hits(lambda wish: find(wish, "judge")[0], LATER) == 0.0
    live_through(use)
    assert trained(search).accepted
    assert hits(lambda wish: find(wish, "judge")[0], LATER) == 1.0
