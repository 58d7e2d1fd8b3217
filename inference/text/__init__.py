"""From the bytes of tokens to the text of an answer; shared by both engines."""
