"""The rule language: expressions, types, units, tables, definitions, profiles, invariants and name resolution."""
