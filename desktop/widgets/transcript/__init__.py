"""The conversation as a person reads it: messages, their blocks, and what can be done with them."""
