"""What a person with nothing installed gets started for them: PostgreSQL, a dev chain."""
