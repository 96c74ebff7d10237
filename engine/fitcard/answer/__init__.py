"""What a caller gets: a question is understood, the rules are run, and the layout of the rulebook is filled."""
