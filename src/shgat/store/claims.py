"""Claims of a store: of several processes that could train the same model, one does."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator

from sqlalchemy import delete, or_

from .._check import number, text
from ..errors import StoreError
from .database import Database
from .schema import DEFAULT_USER, claims

_log = logging.getLogger("shgat")
LEASE = 6.0  # seconds for which a claim outlives an owner that was killed


class ClaimRows:
    """The part of a store that holds claims.

    A claim is advisory: it keeps work from being done twice, and guards nothing. It ends with its lease, by the clock of whoever looks.
    """

    database: Database
    clock: Callable[[], float] = time.time

    def claim(self, owner: str, user_id: str = DEFAULT_USER, seconds: float = LEASE) -> bool:
        """Takes or prolongs the claim to train a user's model; False where somebody else has it."""
        number(seconds, 1e-3, 1e6, "claim: seconds")
        now = self.clock()
        row = {"user_id": user_id, "owner": text(owner, "claim: owner"), "expires_at": now + seconds}
        insert = self.database.insert(claims).values(**row)
        free = or_(claims.c.expires_at <= now, claims.c.owner == owner)
        taken = insert.on_conflict_do_update(index_elements=["user_id"], set_=row, where=free).returning(claims.c.owner)
        with self.database.write() as connection:
            return connection.execute(taken).first() is not None

    def release(self, owner: str, user_id: str = DEFAULT_USER) -> bool:
        """Gives a claim back; False where the owner has none any more."""
        with self.database.write() as connection:
            return connection.execute(delete(claims).where(claims.c.user_id == user_id, claims.c.owner == owner)).rowcount > 0

    @contextlib.contextmanager
    def claimed(self, owner: str, user_id: str = DEFAULT_USER, lease: float = LEASE) -> Iterator[bool]:
        """Is the claim the owner's for this block? Where it is, it is prolonged meanwhile, and given back at the end."""
        if not self.claim(owner, user_id, lease):
            yield False
            return
        done = threading.Event()

        def prolong() -> None:
            while not done.wait(lease / 3.0):
                try:
                    self.claim(owner, user_id, lease)
                except StoreError as error:  # somebody else may then do the same work
                    _log.warning("the claim to train cannot be prolonged: %s", error)

        thread = threading.Thread(target=prolong, name="shgat-claim", daemon=True)
        thread.start()
        try:
            yield True
        finally:
            done.set()
            thread.join()
            with contextlib.suppress(StoreError):  # it ends by itself
                self.release(owner, user_id)
