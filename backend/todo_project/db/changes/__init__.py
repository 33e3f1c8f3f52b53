"""The log of changes: triggers write one row for each row that a statement changes (docs/adr/0028)."""
