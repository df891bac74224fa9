"""1. A folder of pictures -> clean pictures with captions."""
