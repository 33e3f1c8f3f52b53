"""The words of texts, as search finds them."""
