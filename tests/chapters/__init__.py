"""Chapters of the golden ledger: each tells what may happen in one region of a case."""
