"""Everything about models, usable from a script: engines, prompts, library. Knows no Qt."""
