"""What runs beside the pages: it follows run folders, streams frames, starts and watches trainers."""
