"""The catalogue, the decisions and the traces."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from shgat.store.embedding import embedding_type

revision = "v1_traces"
down_revision = None


def upgrade(dimension: int) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE EXTENSION IF NOT EXISTS vector")
    names = sa.JSON().with_variant(JSONB(), "postgresql")
    seq = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    embedding = embedding_type(dimension)
    op.create_table(
        "meta",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "tools",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("server", sa.Text, nullable=False),
        sa.Column("embedding", embedding),
        sa.Column("updated_at", sa.Double, nullable=False),
    )
    op.create_table(
        "capabilities",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("success_rate", sa.Double),
        sa.Column("uses", sa.BigInteger, nullable=False),
        sa.Column("embedding", embedding),
        sa.Column("updated_at", sa.Double, nullable=False),
    )
    op.create_table(
        "members",
        sa.Column("capability_id", sa.Text, sa.ForeignKey("capabilities.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("member_id", sa.Text, nullable=False),
    )
    op.create_index("ix_members_member_id", "members", ["member_id"])
    op.create_table(
        "decisions",
        sa.Column("seq", seq, primary_key=True),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("intent_hash", sa.Text, nullable=False),
        sa.Column("intent", sa.Text),
        sa.Column("embedding", embedding),
        sa.Column("ranked", names, nullable=False),
        sa.Column("model_version", sa.Text, nullable=False),
        sa.Column("session", sa.Text),
        sa.Column("created_at", sa.Double, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_decisions_id", "decisions", ["id"], unique=True)
    op.create_index("ix_decisions_created_at", "decisions", ["created_at"])
    op.create_table(
        "traces",
        sa.Column("seq", seq, primary_key=True),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("parent_id", sa.Text),
        sa.Column("decision_id", sa.Text),
        sa.Column("intent", sa.Text, nullable=False),
        sa.Column("embedding", embedding),
        sa.Column("tools", names, nullable=False),
        sa.Column("capability", sa.Text),
        sa.Column("context_tools", names, nullable=False),
        sa.Column("outcome", sa.Double, nullable=False),
        sa.Column("duration_ms", sa.Double),
        sa.Column("error", sa.Text),
        sa.Column("created_at", sa.Double, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_traces_id", "traces", ["id"], unique=True)
    op.create_index("ix_traces_decision_id", "traces", ["decision_id"], unique=True)
    op.create_index("ix_traces_parent_id", "traces", ["parent_id"])
    op.create_index("ix_traces_created_at", "traces", ["created_at"])


def downgrade(dimension: int) -> None:
    for table in ("traces", "decisions", "members", "capabilities", "tools", "meta"):
        op.drop_table(table)
