"""What a mined anchor used and cost."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """From '0002' to '0003'."""
    op.add_column("anchor_attempt", sa.Column("gas_used", sa.BigInteger(), nullable=True))
    op.add_column("anchor_attempt", sa.Column("cost_wei", sa.Numeric(), nullable=True))
