"""Reports as Markdown, HTML, PDF and JSON, and the evidence package."""
