"""Numbered steps from an empty file to today's database, applied in order.

A new step: add ``mNNNN_what.py`` with ``apply(connection)``, list it in ``registry.MIGRATIONS``,
and write ``test_migration_NNNN_...`` beside the others; a meta-test asks for it.
"""

from desktop.store.migrations.registry import MIGRATIONS, Migration

__all__ = ["MIGRATIONS", "Migration"]
