"""Every answer over the catalogs, computed in parts and written to a file."""
