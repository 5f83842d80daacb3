"""Sessions, their shots and their events."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_REAL: sa.Double[float] = sa.Double()


def _words(name: str, *words: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=20)


def upgrade() -> None:
    """Create the first schema."""
    op.create_table(
        "session",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime()),
        sa.Column("host_version", sa.String(), nullable=False),
        sa.Column(
            "outcome",
            _words(
                op.f("ck_session_outcome"),
                *("running", "complete", "stopped", "fault", "link_lost", "interrupted"),
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("uncertain_shots", sa.Integer()),
        sa.Column("uncertain_ul", _REAL),
        sa.Column("operator", sa.String()),
        sa.Column("preset_name", sa.String(), nullable=False),
        sa.Column("preset_title", sa.String(), nullable=False),
        sa.Column("planned_shots", sa.Integer(), nullable=False),
        sa.Column("preset", sa.JSON(), nullable=False),
        sa.Column("as_run", sa.JSON(), nullable=False),
        sa.Column("profile", sa.JSON(), nullable=False),
        sa.Column("device", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_session")),
        sa.UniqueConstraint("id", name=op.f("uq_session_id")),
    )
    op.create_table(
        "shot",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("session_key", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("t_ms", sa.Integer(), nullable=False),
        sa.Column(
            "outcome",
            _words(op.f("ck_shot_outcome"), "done", "stopped", "misfire"),
            nullable=False,
        ),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("commanded_ul", _REAL, nullable=False),
        sa.Column("dose_ul", _REAL, nullable=False),
        sa.Column("commanded_depth_mm", _REAL, nullable=False),
        sa.Column("depth_mm", _REAL),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("audit", sa.Integer(), nullable=False),
        sa.Column("out_ms", _REAL),
        sa.Column("back_ms", _REAL),
        sa.Column("true_skin_ul", _REAL),
        sa.Column("true_depth_mm", _REAL),
        sa.Column("true_lost_ul", _REAL),
        sa.Column("received_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_key"], ["session.key"], name=op.f("fk_shot_session_key")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_shot")),
        sa.UniqueConstraint("session_key", "number", name=op.f("uq_shot_session_key")),
    )
    op.create_table(
        "event",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("session_key", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column(
            "kind", _words(op.f("ck_event_kind"), "state", "alarm", "note", "gap"), nullable=False
        ),
        sa.Column("text", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_key"], ["session.key"], name=op.f("fk_event_session_key")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_event")),
    )
    op.create_index(op.f("ix_event_session_key"), "event", ["session_key"])
