"""What the app keeps between two starts: chats in SQLite, settings in a JSON file. Qt-free."""
