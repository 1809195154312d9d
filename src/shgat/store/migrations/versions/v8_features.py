"""Features of capabilities and of intents; on PostgreSQL the nearest ones are found through HNSW."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from shgat.store.embedding import embedding_type

revision = "v8_features"
down_revision = "v7_origins"

_HNSW_AT_MOST = 2000  # dimensions that pgvector's index takes
_NODE2VEC = 64


def upgrade(dimension: int) -> None:
    names = sa.JSON().with_variant(JSONB(), "postgresql")
    op.create_table(
        "capability_features",
        sa.Column("capability_id", sa.Text, sa.ForeignKey("capabilities.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("text_embedding", embedding_type(dimension)),
        sa.Column("n2v_embedding", embedding_type(_NODE2VEC)),
        sa.Column("hybrid_embedding", embedding_type(dimension)),
        sa.Column("tool_count", sa.Integer, nullable=False),
        sa.Column("capability_count", sa.Integer, nullable=False),
        sa.Column("parent_count", sa.Integer, nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("avg_execution_time_ms", sa.Double),
        sa.Column("success_rate", sa.Double),
        sa.Column("usage_count_1d", sa.BigInteger, nullable=False),
        sa.Column("usage_count_7d", sa.BigInteger, nullable=False),
        sa.Column("usage_count_30d", sa.BigInteger, nullable=False),
        sa.Column("pagerank_score", sa.Double, nullable=False),
        sa.Column("clustering_coefficient", sa.Double, nullable=False),
        sa.Column("feature_version", sa.BigInteger, nullable=False),
        sa.Column("computed_at", sa.Double, nullable=False),
        sa.CheckConstraint(_of_length("hybrid_embedding", dimension), name="valid_embedding"),
    )
    op.create_table(
        "intent_features",
        sa.Column("intent_hash", sa.Text, primary_key=True),
        sa.Column("embedding", embedding_type(dimension)),
        sa.Column("context_tools", names, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
    )
    op.create_index("ix_intent_features_created_at", "intent_features", ["created_at"])
    if op.get_bind().dialect.name == "postgresql":
        columns = {"n2v_embedding": _NODE2VEC, "hybrid_embedding": dimension}
        for table, column, d in (
            *(("capability_features", c, d) for c, d in columns.items()),
            ("intent_features", "embedding", dimension),
        ):
            if d <= _HNSW_AT_MOST:
                op.execute(f"CREATE INDEX hnsw_{table}_{column} ON {table} USING hnsw ({column} vector_cosine_ops)")


def downgrade(dimension: int) -> None:
    op.drop_table("intent_features")
    op.drop_table("capability_features")
    op.execute("DELETE FROM meta WHERE key = 'features'")


def _of_length(column: str, dimension: int) -> str:
    if op.get_bind().dialect.name == "postgresql":
        return f"vector_dims({column}) = {dimension}"
    return f"length({column}) IN ({4 * dimension}, {2 * dimension + 1})"  # float32, or float16 and a byte
