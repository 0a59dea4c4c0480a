"""`ltviz.record` inside other people's trainers: one module a library, which must be installed to import it."""
