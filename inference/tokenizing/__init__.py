"""How a text becomes tokens, told from the tokenizer alone: no weights, no network."""
