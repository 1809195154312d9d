"""What a version of the model was made for is kept with it."""

import sqlalchemy as sa
from alembic import op

revision = "v11_drift"
down_revision = "v10_principals"


def upgrade(dimension: int) -> None:
    seq = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    of = sa.ForeignKey("model_versions.version", ondelete="CASCADE")
    op.create_table(
        "drift_references",
        sa.Column("version", seq, of, primary_key=True, autoincrement=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
    )


def downgrade(dimension: int) -> None:
    op.drop_table("drift_references")
