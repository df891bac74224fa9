"""Pictures that are there more than once: found, laid side by side, and the best of each proposed."""
