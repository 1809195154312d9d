"""Versions of a model are named by aliases, and each move of one is written down; the active version becomes "production"."""

import sqlalchemy as sa
from alembic import op

revision = "v9_aliases"
down_revision = "v8_features"

_PRODUCTION = "SELECT version FROM model_aliases WHERE alias = 'production' AND model_aliases.user_id = model_versions.user_id"


def upgrade(dimension: int) -> None:
    op.create_table(
        "model_aliases",
        sa.Column("user_id", sa.Text, primary_key=True),
        sa.Column("alias", sa.Text, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("terms", sa.Text),
    )
    op.create_table(
        "alias_moves",
        sa.Column("user_id", sa.Text, primary_key=True),
        sa.Column("alias", sa.Text, primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("before", sa.BigInteger),
        sa.Column("after", sa.BigInteger),
        sa.Column("back", sa.BigInteger),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("forced", sa.Boolean, nullable=False),
        sa.Column("figures", sa.Text),
        sa.Column("created_at", sa.Double, nullable=False),
    )
    op.execute(
        "INSERT INTO model_aliases (user_id, alias, version) SELECT user_id, 'production', version FROM model_versions WHERE active"
    )
    op.execute(
        "INSERT INTO alias_moves (user_id, alias, number, after, action, who, why, forced, created_at) SELECT user_id, 'production', "
        "1, version, 'deploy', 'shgat', 'active before there were aliases', false, coalesce(activated_at, created_at) "
        "FROM model_versions WHERE active"
    )
    op.drop_index("ix_model_versions_active", "model_versions")
    op.drop_column("model_versions", "active")


def downgrade(dimension: int) -> None:
    op.add_column("model_versions", sa.Column("active", sa.Boolean, nullable=False, server_default=sa.false()))
    op.execute(f"UPDATE model_versions SET active = true WHERE version = ({_PRODUCTION})")
    active = sa.text("active")
    op.create_index(
        "ix_model_versions_active", "model_versions", ["user_id"], unique=True, sqlite_where=active, postgresql_where=active
    )
    op.drop_table("alias_moves")
    op.drop_table("model_aliases")
