"""Whole models are called so; decisions know their context tools; a trace has the fields of its files, and no made-up text."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "v5_model_versions"
down_revision = "v4_claims"


def upgrade(dimension: int) -> None:
    _rename_models("parameters", "model_versions")
    names = sa.JSON().with_variant(JSONB(), "postgresql")
    op.add_column("decisions", sa.Column("context_tools", names, nullable=False, server_default="[]"))
    op.add_column("traces", sa.Column("weight", sa.Double, nullable=False, server_default="1"))
    _rename_time("created_at", "timestamp")
    op.execute("UPDATE traces SET intent = '' WHERE intent = '(no text)'")


def downgrade(dimension: int) -> None:
    op.execute("UPDATE traces SET intent = '(no text)' WHERE intent = ''")
    _rename_time("timestamp", "created_at")
    op.drop_column("traces", "weight")
    op.drop_column("decisions", "context_tools")
    _rename_models("model_versions", "parameters")


def _rename_models(before: str, after: str) -> None:
    for index in ("user_id", "active"):
        op.drop_index(f"ix_{before}_{index}", before)
    op.rename_table(before, after)
    active = sa.text("active")
    op.create_index(f"ix_{after}_user_id", after, ["user_id", "version"])
    op.create_index(f"ix_{after}_active", after, ["user_id"], unique=True, sqlite_where=active, postgresql_where=active)


def _rename_time(before: str, after: str) -> None:
    op.drop_index(f"ix_traces_{before}", "traces")
    op.execute(f'ALTER TABLE traces RENAME COLUMN "{before}" TO "{after}"')
    op.create_index(f"ix_traces_{after}", "traces", [after])
