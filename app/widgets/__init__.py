"""What draws on the pages: each takes the studio and a choice, and draws one thing with Streamlit."""
