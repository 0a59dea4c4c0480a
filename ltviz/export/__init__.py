"""Runs in other shapes: reports that stand alone, tables for other tools. Nothing here imports torch.

results     runs sorted into cells and arms, with means over seeds
told        which measures are told of them, and who judges their accuracies
repeats     what cannot depend on the sphere's dimension, and is listed once
summary     tables of means as Markdown and JSON
report      a self-contained HTML page that compares runs
table       CSV and Parquet of every number
replay      the page that replays runs in 3-D, made by the app's own code
formats     what `ltviz export --to` can write, one format a file
"""
