"""Checks that need more than reading: that units agree, and that every question over the catalogs has an answer."""
