"""The only room where threads meet Qt: an inbox for events, and a runner for one-shot jobs."""
