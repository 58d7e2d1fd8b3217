"""Widgets that draw themselves with the theme; they decide nothing."""
