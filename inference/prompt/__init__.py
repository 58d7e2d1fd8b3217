"""From a conversation to the exact prompt: chat template, special tokens, context window."""
