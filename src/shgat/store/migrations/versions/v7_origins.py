"""Capabilities know whether they were declared, or which traces they were mined from."""

import sqlalchemy as sa
from alembic import op

revision = "v7_origins"
down_revision = "v6_users"


def upgrade(dimension: int) -> None:
    op.add_column("capabilities", sa.Column("origin", sa.Text))


def downgrade(dimension: int) -> None:
    op.drop_column("capabilities", "origin")
