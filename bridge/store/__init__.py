"""The only SQL: PostgreSQL through SQLAlchemy Core and psycopg 3."""
