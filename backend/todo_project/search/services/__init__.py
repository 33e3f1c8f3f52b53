"""From the text of a query to ranked results with snippets."""
