"""Every answer over the catalogs, or over some of their entries, written to a file part by part."""
