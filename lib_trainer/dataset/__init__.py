"""2. Pictures and captions -> batches."""
