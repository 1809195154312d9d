"""Decisions, traces and priorities know whose model they are for; a trace can be set aside."""

import numpy as np
import sqlalchemy as sa
from alembic import op

revision = "v6_users"
down_revision = "v5_model_versions"

_EMBEDDED = {"tools": "id", "capabilities": "id", "decisions": "seq", "traces": "seq"}  # table -> its key


def upgrade(dimension: int) -> None:
    for table in ("decisions", "traces", "priorities"):
        op.add_column(table, sa.Column("user_id", sa.Text, nullable=False, server_default="local"))
    op.add_column("priorities", sa.Column("aside", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("priorities", sa.Column("needs", sa.Text))
    op.add_column("priorities", sa.Column("reason", sa.Text))
    op.drop_index("ix_priorities_priority", "priorities")
    op.create_index("ix_priorities_priority", "priorities", ["user_id", "aside", "priority", "trace_seq"])
    op.create_index("ix_priorities_needs", "priorities", ["user_id", "needs"])


def downgrade(dimension: int) -> None:
    op.drop_index("ix_priorities_needs", "priorities")
    op.drop_index("ix_priorities_priority", "priorities")
    op.create_index("ix_priorities_priority", "priorities", ["priority", "trace_seq"])
    for column in ("reason", "needs", "aside"):
        op.drop_column("priorities", column)
    for table in ("priorities", "traces", "decisions"):
        op.drop_column(table, "user_id")
    if op.get_bind().dialect.name == "sqlite":
        _widen()


def _widen() -> None:
    """Embeddings that were kept as float16 and a byte become float32."""
    bind = op.get_bind()
    for name, key in _EMBEDDED.items():
        table = sa.table(name, sa.column(key), sa.column("embedding", sa.LargeBinary))
        halves = sa.select(table.c[key], table.c.embedding).where(sa.func.length(table.c.embedding) % 2 == 1)
        for row in bind.execute(halves).all():
            wide = np.frombuffer(row.embedding[:-1], "<f2").astype("<f4").tobytes()
            bind.execute(table.update().where(table.c[key] == row[0]).values(embedding=wide))
