"""The doctor: what is wrong with single pictures, their captions and the set as a whole, and what mends it."""
