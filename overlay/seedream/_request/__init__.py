"""What a request may be: limits and rules applied to a submission, source images, and the encoded form."""
