"""What covers a leaf is found by its size, however many heads were anchored since."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """From '0005' to '0006'."""
    op.create_index(
        "anchor_attempt_standing",
        "anchor_attempt",
        ["size", "id"],
        postgresql_where=sa.text("state IN ('mined', 'final', 'evidenced')"),
    )
