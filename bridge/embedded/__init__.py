"""What `up`, `demo` and the tests start for a person with nothing installed."""
