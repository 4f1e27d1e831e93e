"""Run by Alembic."""

from r2pflow.persistence.migrating import run_migrations

run_migrations()
