"""What may go wrong: the catalogue, the language that asks for a fault, and what each one does to a reply."""
