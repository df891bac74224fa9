"""4. Trained weights -> files that the WebUI reads."""
