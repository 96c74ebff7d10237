"""What the service does around its routes: limits, keys, headers, logs, metrics, and how it listens and stops."""
