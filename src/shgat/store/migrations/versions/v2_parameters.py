"""Versions of the trained parameters."""

import sqlalchemy as sa
from alembic import op

revision = "v2_parameters"
down_revision = "v1_traces"


def upgrade(dimension: int) -> None:
    op.create_table(
        "parameters",
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("user_id", sa.Text, nullable=False, server_default="local"),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("manifest", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("activated_at", sa.Double),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_parameters_user_id", "parameters", ["user_id", "version"])
    active = sa.text("active")
    op.create_index("ix_parameters_active", "parameters", ["user_id"], unique=True, sqlite_where=active, postgresql_where=active)


def downgrade(dimension: int) -> None:
    op.drop_table("parameters")
