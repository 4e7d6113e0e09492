"""Three servers of the API, each written from the page without the others and without the sandbox."""
