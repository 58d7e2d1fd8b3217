"""The models on this computer: what files say about themselves, and where they are."""
