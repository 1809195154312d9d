"""Many requests at once from asyncio; and what a server refuses becomes an error with a name.

python http_asyncio.py http://127.0.0.1:8321 shgat_...
"""

import asyncio
import sys

from shgat.client import AsyncClient
from shgat.errors import RemoteError

WANTED = ["send the report to Ada", "book a room for Monday", "who is on call tonight?"]


async def main(url: str, key: str) -> None:
    async with AsyncClient(url, key) as client:
        for wanted, ranking in zip(WANTED, await asyncio.gather(*(client.rank(text, 1) for text in WANTED)), strict=True):
            print(f"{wanted}: {ranking.ids[0]} ({ranking.ranked_by})")
        try:
            await client.rank([1.0, 2.0], 1)
        except RemoteError as error:
            print(f"{error.kind}: {error}")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
