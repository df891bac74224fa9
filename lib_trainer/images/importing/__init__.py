"""Bringing pictures in from folders, archives, tables and kohya's metadata, and writing such tables."""
