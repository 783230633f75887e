"""What a row costs from 100 rows to 1,000,000, and a tree and a support vector from few to many."""
