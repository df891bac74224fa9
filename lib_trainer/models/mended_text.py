"""What CLIP's own tokenizer mends in a text before it looks for words, and transformers' present one does not."""

from __future__ import annotations


def mended(text: str) -> str:
    """The text with plain quotes for curly ones, plain letters for wide ones and ligatures, `&` for `&amp;`, and so on.

    https://github.com/openai/CLIP/blob/main/clip/simple_tokenizer.py does so, and the WebUI's tokenizers after it.
    """
    import ftfy

    return str(ftfy.fix_text(text))
