"""Item models over the values of controllers, for views that are lists."""
