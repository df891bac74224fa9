"""The shipped example: a small model that draws emoji, pictures in a style it has never seen, and the whole way."""
