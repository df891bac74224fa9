"""Which part of a picture a crop keeps: what is drawn by hand, faces, or what stands out."""
