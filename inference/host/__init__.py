"""The engine process: its wire protocol, the server inside it, and the client in front of it."""
