"""The page inside AUTOMATIC1111 or Forge; the only package that imports the WebUI's `modules`."""
