"""What Streamlit runs: one file a page."""
