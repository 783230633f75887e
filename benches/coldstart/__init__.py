"""From process start to first response: our function, an empty one, and Python's, under one Runtime API."""
