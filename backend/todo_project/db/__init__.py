"""How rows are kept: base classes of rows, the PostgreSQL backend, compiled queries, the replica."""
