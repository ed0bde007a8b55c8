"""What a mined anchor used and cost."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """From '0003' to '0004'."""
    op.add_column("anchor_attempt", sa.Column("gas_used", sa.BigInteger(), nullable=True))
    op.add_column("anchor_attempt", sa.Column("cost_wei", sa.Numeric(), nullable=True))
