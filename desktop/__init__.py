"""The Qt application around ``inference``."""
