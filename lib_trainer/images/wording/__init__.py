"""Rules that reword captions, a search over them, their spelling and their tokens, in Python's own library alone."""
