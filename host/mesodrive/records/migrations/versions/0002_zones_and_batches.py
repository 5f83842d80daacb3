"""Zones and their coverage, shots whose reports are lost, and starts to the µs."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_REAL: sa.Double[float] = sa.Double()


def upgrade() -> None:
    """Sessions of before keep "not known" in the new columns, and shots their whole ms."""
    op.add_column("session", sa.Column("lost_shots", sa.Integer()))
    op.add_column("session", sa.Column("zone_area_cm2", _REAL))
    op.add_column("session", sa.Column("planned_passes", _REAL))
    op.add_column("session", sa.Column("planned_coverage_percent", _REAL))
    with op.batch_alter_table("shot") as shot:
        shot.alter_column("t_ms", type_=_REAL, existing_type=sa.Integer(), existing_nullable=False)
