"""How well and how fast models read one text: measured one after the other, put side by side."""
