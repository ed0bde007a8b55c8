"""The HTTP doors: who asks, which flow answers, and how a refusal reads."""
