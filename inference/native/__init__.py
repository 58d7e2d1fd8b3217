"""The PyTorch engine: networks to read from top to bottom, and what loads and runs them."""
