"""Memory of past work: what a network has read, kept so that coming back to a text is quick."""
