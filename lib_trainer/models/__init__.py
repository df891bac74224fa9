"""What is trained on: one family of models a file, and what reads, runs and samples them."""
