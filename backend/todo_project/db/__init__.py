"""Database code that knows no app: base models, the PostgreSQL backend, compiled queries, the replica."""
