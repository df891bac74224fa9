"""3. Batches -> trained weights."""
