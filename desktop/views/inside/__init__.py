"""Pages that show what happens inside the model in memory."""
