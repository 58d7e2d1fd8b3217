"""State machines between views and engines or store: QtCore only, no widgets, no decisions lost."""
