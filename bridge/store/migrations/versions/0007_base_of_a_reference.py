"""To which server a reference leads, apart from type and id."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """From '0006' to '0007'."""
    base = sa.Column("target_base", sa.Text(), server_default="", nullable=False)
    op.add_column("index_reference", base)
    op.drop_index("index_reference_find", table_name="index_reference")
    op.create_index(
        "index_reference_find",
        "index_reference",
        ["target_id", "type", "param", "target_type", "target_base", "id"],
        unique=False,
    )
