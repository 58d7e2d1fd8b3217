"""Markdown as it streams in: blocks, runs of text, colours of code. Knows no widget."""
