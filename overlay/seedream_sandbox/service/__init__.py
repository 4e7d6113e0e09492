"""What the API does with a request: checks it, makes and charges tasks, answers queries, serves pictures."""
