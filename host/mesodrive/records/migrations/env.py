"""Alembic's entry: runs the migrations in the transaction that `database.open_database` opened."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
