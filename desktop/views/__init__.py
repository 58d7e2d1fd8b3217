"""Pages of the window; they show what controllers say and ask controllers to act."""
