"""Prompt logs: exports of chat channels in which pictures were made, turned into captioned pictures."""
