"""The tables, as the newest migration leaves them.

    meta            key -> value: the dimension of the embeddings, the checksum of the catalogue that was kept last
    tools, capabilities, members         the catalogue; a member is a tool or a capability, in order
    decisions       what was ranked for an intent, at which position, with which propensity
    traces          what was executed and how it went; parent_id makes them a tree, session and step sequences
    priorities      how much a trace is worth replaying to its user's model; infinity until it has been trained on.
                    `aside`: it is not read; `reason` says why, and `needs` what a catalogue has to hold for it to be read again
    model_versions  whole models, per user
    drift_references what a version was made for, see `shgat.drift`
    model_aliases   which version an alias of a user names: "production" serves; `terms` are what a canary serves under
    alias_moves     every move of an alias, numbered for each alias from 1 without a gap: who, why, from what, to what. `back` is the move
                    whose state a rollback returns to. Versions are those of `model_versions`, or of a registry elsewhere
    principal_moves what was decided of a principal's own learning, the latest row counts: how it may count (`mode`), and since which moment
                    its executions do
    claims          who is training whose model, and until when
    capability_features, intent_features  what was computed of capabilities and of intents. On PostgreSQL an HNSW index finds the
                    nearest ones where there are at most 2000 dimensions, and a check holds the hybrid to its dimension; both are the
                    migration's, since they depend on the dimension

`seq` numbers rows in the order in which they were committed, which makes it a cursor that misses nothing. A parent is no
foreign key: children end, and arrive, before their parents. Times are seconds since the epoch.
"""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from .embedding import embedding_type

REVISION = "v12_sessions"  # the newest migration
DEFAULT_USER = "local"

METADATA = MetaData()
_LIST = JSON().with_variant(JSONB(), "postgresql")
_SEQ = BigInteger().with_variant(Integer(), "sqlite")  # SQLite numbers rows by itself only in INTEGER columns


_SOMEBODY = text("principal <> ''")
IN_SESSION = text("session <> ''")  # of the index; what asks by it says so too, or SQLite does not use it
_OF_SOMEBODY: dict[str, Any] = {
    "sqlite_where": _SOMEBODY,
    "postgresql_where": _SOMEBODY,
}  # those of nobody in particular need no room


def _table(name: str, *items: Column[object] | Index) -> Table:
    return Table(name, METADATA, *items, sqlite_autoincrement=True)


meta = Table("meta", METADATA, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))

tools = Table(
    "tools",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("text", Text, nullable=False),
    Column("server", Text, nullable=False),
    Column("embedding", embedding_type()),
    Column("updated_at", Double, nullable=False),
)

capabilities = Table(
    "capabilities",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("text", Text, nullable=False),
    Column("success_rate", Double),
    Column("uses", BigInteger, nullable=False),
    Column("origin", Text),  # JSON of `Capability.origin`
    Column("embedding", embedding_type()),
    Column("updated_at", Double, nullable=False),
)

members = Table(
    "members",
    METADATA,
    Column("capability_id", Text, ForeignKey("capabilities.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", Text, primary_key=True),  # "tool" or "capability"
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("member_id", Text, nullable=False),
    Index("ix_members_member_id", "member_id"),
)

decisions = _table(
    "decisions",
    Column("seq", _SEQ, primary_key=True),
    Column("id", Text, nullable=False),
    Column("intent_hash", Text, nullable=False),
    Column("intent", Text),
    Column("embedding", embedding_type()),
    Column("ranked", _LIST, nullable=False),  # [[id, position, propensity], ...]
    Column("model_version", Text, nullable=False),
    Column("context_tools", _LIST, nullable=False, server_default="[]"),
    Column("session", Text),
    Column("created_at", Double, nullable=False),
    Column("user_id", Text, nullable=False, server_default=DEFAULT_USER),
    Column("principal", Text, nullable=False, server_default=""),
    Index("ix_decisions_id", "id", unique=True),
    Index("ix_decisions_created_at", "created_at"),
)

traces = _table(
    "traces",
    Column("seq", _SEQ, primary_key=True),
    Column("id", Text, nullable=False),
    Column("parent_id", Text),
    Column("decision_id", Text),
    Column("intent", Text, nullable=False),
    Column("embedding", embedding_type()),
    Column("tools", _LIST, nullable=False),
    Column("capability", Text),
    Column("context_tools", _LIST, nullable=False),
    Column("outcome", Double, nullable=False),
    Column("duration_ms", Double),
    Column("error", Text),
    Column("weight", Double, nullable=False, server_default="1"),
    Column("timestamp", Double, nullable=False),
    Column("user_id", Text, nullable=False, server_default=DEFAULT_USER),
    Column("principal", Text, nullable=False, server_default=""),
    Column("session", Text, nullable=False, server_default=""),
    Column("step", Integer),
    Column("end", Text, nullable=False, server_default=""),
    Column("rating", Double),
    Column("offered", _LIST, nullable=False, server_default="[]"),
    Column("propensity", Double),
    Index("ix_traces_id", "id", unique=True),
    Index("ix_traces_decision_id", "decision_id", unique=True),
    Index("ix_traces_parent_id", "parent_id"),
    Index("ix_traces_timestamp", "timestamp"),
    Index("ix_traces_principal", "user_id", "principal", "seq", **_OF_SOMEBODY),
    Index("ix_traces_session", "session", "user_id", "principal", "step", sqlite_where=IN_SESSION, postgresql_where=IN_SESSION),
)

priorities = Table(
    "priorities",
    METADATA,
    Column("trace_seq", _SEQ, ForeignKey("traces.seq", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("priority", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    Column("user_id", Text, nullable=False, server_default=DEFAULT_USER),
    Column("principal", Text, nullable=False, server_default=""),
    Column("aside", Boolean, nullable=False, server_default=false()),
    Column("needs", Text),
    Column("reason", Text),
    Index("ix_priorities_priority", "user_id", "aside", "priority", "trace_seq"),
    Index("ix_priorities_needs", "user_id", "needs"),
    Index("ix_priorities_principal", "user_id", "principal", "aside", "needs", "priority", **_OF_SOMEBODY),
)

model_versions = _table(
    "model_versions",
    Column("version", _SEQ, primary_key=True),
    Column("user_id", Text, nullable=False, server_default=DEFAULT_USER),
    Column("data", LargeBinary, nullable=False),
    Column("manifest", Text, nullable=False),  # JSON as it was written: the digest covers its characters
    Column("sha256", Text, nullable=False),
    Column("activated_at", Double),  # null: it never served
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    Index("ix_model_versions_user_id", "user_id", "version"),
)

drift_references = Table(
    "drift_references",
    METADATA,
    Column("version", _SEQ, ForeignKey("model_versions.version", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
    Column("created_at", Double, nullable=False),
)

model_aliases = Table(
    "model_aliases",
    METADATA,
    Column("user_id", Text, primary_key=True),
    Column("alias", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("terms", Text),  # JSON
)

alias_moves = Table(
    "alias_moves",
    METADATA,
    Column("user_id", Text, primary_key=True),
    Column("alias", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("before", BigInteger),
    Column("after", BigInteger),
    Column("back", BigInteger),
    Column("action", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("forced", Boolean, nullable=False),
    Column("figures", Text),  # JSON
    Column("created_at", Double, nullable=False),
)

principal_moves = _table(
    "principal_moves",
    Column("seq", _SEQ, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("principal", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("since", Double, nullable=False),
    Column("who", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Index("ix_principal_moves_principal", "user_id", "principal", "seq"),
)

claims = Table(
    "claims",
    METADATA,
    Column("user_id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("expires_at", Double, nullable=False),
)

capability_features = Table(
    "capability_features",
    METADATA,
    Column("capability_id", Text, ForeignKey("capabilities.id", ondelete="CASCADE"), primary_key=True),
    Column("text_embedding", embedding_type()),
    Column("n2v_embedding", embedding_type()),
    Column("hybrid_embedding", embedding_type()),
    Column("tool_count", Integer, nullable=False),
    Column("capability_count", Integer, nullable=False),
    Column("parent_count", Integer, nullable=False),
    Column("level", Integer, nullable=False),
    Column("avg_execution_time_ms", Double),
    Column("success_rate", Double),
    Column("usage_count_1d", BigInteger, nullable=False),
    Column("usage_count_7d", BigInteger, nullable=False),
    Column("usage_count_30d", BigInteger, nullable=False),
    Column("pagerank_score", Double, nullable=False),
    Column("clustering_coefficient", Double, nullable=False),
    Column("feature_version", BigInteger, nullable=False),
    Column("computed_at", Double, nullable=False),
)

intent_features = Table(
    "intent_features",
    METADATA,
    Column("intent_hash", Text, primary_key=True),
    Column("embedding", embedding_type()),
    Column("context_tools", _LIST, nullable=False),
    Column("created_at", Double, nullable=False),
    Index("ix_intent_features_created_at", "created_at"),
)
