"""What is found in the pictures of a movie, and the store it is kept in."""
