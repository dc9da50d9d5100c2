"""What schools say of their lessons, when a lesson was withdrawn, links for forgotten passwords."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("schools", schema=None) as batch_op:
        for column in ("language", "licence", "target"):
            batch_op.add_column(sa.Column(column, sa.String(), nullable=True))
    with op.batch_alter_table("lessons", schema=None) as batch_op:
        batch_op.add_column(sa.Column("withdrawn_s", sa.Double(), nullable=True))
    op.create_table(
        "resets",
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("secret_hash", sa.String(), nullable=False),
        sa.Column("expires_s", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_resets_person_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_resets")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_resets_secret_hash")),
    )


def downgrade() -> None:
    op.drop_table("resets")
    with op.batch_alter_table("lessons", schema=None) as batch_op:
        batch_op.drop_column("withdrawn_s")
    with op.batch_alter_table("schools", schema=None) as batch_op:
        for column in ("target", "licence", "language"):
            batch_op.drop_column(column)
