"""A trace knows of which session it is a step, what was offered, and what people said of it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "v12_sessions"
down_revision = "v11_drift"

_IN_SESSION = sa.text("session <> ''")
_ADDED = ("session", "step", "end", "rating", "offered", "propensity")


def upgrade(dimension: int) -> None:
    listed = sa.JSON().with_variant(JSONB(), "postgresql")
    columns = (
        sa.Column("session", sa.Text, nullable=False, server_default=""),
        sa.Column("step", sa.Integer),
        sa.Column("end", sa.Text, nullable=False, server_default=""),
        sa.Column("rating", sa.Double),
        sa.Column("offered", listed, nullable=False, server_default="[]"),
        sa.Column("propensity", sa.Double),
    )
    for column in columns:
        op.add_column("traces", column)
    op.create_index(
        "ix_traces_session", "traces", ["session", "user_id", "principal", "step"], sqlite_where=_IN_SESSION,
        postgresql_where=_IN_SESSION,
    )  # fmt: skip


def downgrade(dimension: int) -> None:
    op.drop_index("ix_traces_session", "traces")
    for name in reversed(_ADDED):
        op.drop_column("traces", name)
