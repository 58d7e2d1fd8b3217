"""Figures: painted by themselves, with keys, a sentence for a screen reader, and ways out."""
