"""What is believed, checked and resolved: definitions, expressions, tables, catalogs, profiles, and the rulebook."""
