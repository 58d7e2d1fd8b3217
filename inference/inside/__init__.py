"""What happens inside a loaded model: questions to an engine, and what it finds."""
