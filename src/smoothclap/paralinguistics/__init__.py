"""Paralinguistic measures, tags and captions of speech."""
