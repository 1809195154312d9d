"""Who is training whose parameters, and until when."""

import sqlalchemy as sa
from alembic import op

revision = "v4_claims"
down_revision = "v3_priorities"


def upgrade(dimension: int) -> None:
    op.create_table(
        "claims",
        sa.Column("user_id", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
    )


def downgrade(dimension: int) -> None:
    op.drop_table("claims")
