"""Ledgers of devices: records, heads that were seen, flaws, and whose session is whose."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Sessions of before have no ledger."""
    op.create_table(
        "ledger",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("serial", sa.String(), nullable=False),
        sa.Column("began_at", sa.DateTime(), nullable=False),
        sa.Column("retired_at", sa.DateTime()),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_ledger")),
    )
    op.create_index(op.f("ix_ledger_serial"), "ledger", ["serial"])
    op.create_table(
        "ledger_record",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("ledger_key", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("boot", sa.Integer(), nullable=False),
        sa.Column("on_ms", sa.Integer(), nullable=False),
        sa.Column("intent", sa.Integer()),
        sa.Column("strikes", sa.Integer()),
        sa.Column("volume_nl", sa.Integer()),
        sa.Column("fetched_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ledger_key"], ["ledger.key"], name=op.f("fk_ledger_record_ledger_key")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_ledger_record")),
        sa.UniqueConstraint("ledger_key", "sequence", name=op.f("uq_ledger_record_ledger_key")),
    )
    op.create_table(
        "ledger_head",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("ledger_key", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.Column("seen_at", sa.DateTime(), nullable=False),
        sa.Column("countersigned_at", sa.DateTime()),
        sa.Column("host_key", sa.Integer()),
        sa.ForeignKeyConstraint(
            ["ledger_key"], ["ledger.key"], name=op.f("fk_ledger_head_ledger_key")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_ledger_head")),
        sa.UniqueConstraint("ledger_key", "sequence", name=op.f("uq_ledger_head_ledger_key")),
    )
    op.create_table(
        "ledger_flaw",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("ledger_key", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("found_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ledger_key"], ["ledger.key"], name=op.f("fk_ledger_flaw_ledger_key")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_ledger_flaw")),
        sa.UniqueConstraint(
            "ledger_key", "kind", "sequence", name=op.f("uq_ledger_flaw_ledger_key")
        ),
    )
    op.create_table(
        "session_ledger",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("session_key", sa.Integer(), nullable=False),
        sa.Column("ledger_key", sa.Integer(), nullable=False),
        sa.Column("after", sa.Integer(), nullable=False),
        sa.Column("profile", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer()),
        sa.ForeignKeyConstraint(
            ["ledger_key"], ["ledger.key"], name=op.f("fk_session_ledger_ledger_key")
        ),
        sa.ForeignKeyConstraint(
            ["session_key"], ["session.key"], name=op.f("fk_session_ledger_session_key")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_session_ledger")),
        sa.UniqueConstraint("session_key", name=op.f("uq_session_ledger_session_key")),
        sa.UniqueConstraint("ledger_key", "sequence", name=op.f("uq_session_ledger_ledger_key")),
    )
