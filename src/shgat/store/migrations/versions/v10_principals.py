"""Decisions, traces and priorities know who asked; what is decided of a principal's own learning is written down."""

import sqlalchemy as sa
from alembic import op

revision = "v10_principals"
down_revision = "v9_aliases"

_SOMEBODY = sa.text("principal <> ''")
_INDICES = {"traces": ("seq",), "priorities": ("aside", "needs", "priority")}


def upgrade(dimension: int) -> None:
    for table in ("decisions", "traces", "priorities"):
        op.add_column(table, sa.Column("principal", sa.Text, nullable=False, server_default=""))
    for table, columns in _INDICES.items():
        op.create_index(
            f"ix_{table}_principal", table, ["user_id", "principal", *columns], sqlite_where=_SOMEBODY, postgresql_where=_SOMEBODY
        )
    op.create_table(
        "principal_moves",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("principal", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_principal_moves_principal", "principal_moves", ["user_id", "principal", "seq"])


def downgrade(dimension: int) -> None:
    op.drop_table("principal_moves")
    for table in ("priorities", "traces"):
        op.drop_index(f"ix_{table}_principal", table)
    for table in ("priorities", "traces", "decisions"):
        op.drop_column(table, "principal")
