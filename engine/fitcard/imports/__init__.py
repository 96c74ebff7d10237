"""What other programs wrote, read as an import says and made into entries of a catalog."""
