"""What methods are made of: shared by the papers' files, one noun a file."""
