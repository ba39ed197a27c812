"""The commands of `headgate`, one module each; streams/__main__.py lists them."""
