"""Replay priorities. Every trace that is already there starts as new: infinity."""

import sqlalchemy as sa
from alembic import op

revision = "v3_priorities"
down_revision = "v2_parameters"


def upgrade(dimension: int) -> None:
    seq = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    table = op.create_table(
        "priorities",
        sa.Column("trace_seq", seq, sa.ForeignKey("traces.seq", ondelete="CASCADE"), primary_key=True, autoincrement=False),
        sa.Column("priority", sa.Double, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
    )
    traces = sa.table("traces", sa.column("seq", seq), sa.column("created_at", sa.Double))
    infinity = sa.bindparam("infinity", float("inf"), type_=sa.Double)
    rows = sa.select(traces.c.seq, infinity, traces.c.created_at)
    op.get_bind().execute(table.insert().from_select(["trace_seq", "priority", "updated_at"], rows))
    op.create_index("ix_priorities_priority", "priorities", ["priority", "trace_seq"])


def downgrade(dimension: int) -> None:
    op.drop_table("priorities")
