"""5. Epochs -> one grid of pictures."""
