"""Checkpoint folders as GGUF files, and GGUF files made smaller."""
