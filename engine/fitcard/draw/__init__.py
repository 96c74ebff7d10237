"""Drawing: answers and problems as a person reads them in a terminal. Nothing is computed here."""
