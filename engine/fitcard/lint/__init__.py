"""Checks of rules and catalogs beyond loading: invariants, finite numbers, unused rules, catalog checks."""
