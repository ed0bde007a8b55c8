"""Which rules a resource's search rows are of; of those that are here, nobody knows."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """From '0004' to '0005'."""
    op.add_column("resource", sa.Column("indexed_by", sa.Text(), server_default="", nullable=False))
