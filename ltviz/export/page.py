"""The frame of a report: HTML and CSS, with places for what changes."""

from __future__ import annotations

from string import Template

# No address but the page itself: with this policy a browser would refuse to fetch anything, whatever a name holds.
_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"

STYLE = Template("""
:root { color-scheme: $scheme; }
body { margin: 0 auto; padding: 2rem 1.5rem 4rem; max-width: 76rem; background: $paper; color: $ink;
  font: 15px/1.5 $font; }
h1 { font-size: 1.7rem; margin: 0 0 .2rem; } h2 { font-size: 1.25rem; margin: 2.5rem 0 .8rem; }
h3 { font-size: 1rem; margin: 1.6rem 0 .5rem; }
.note, figcaption, small { color: $muted; font-size: .85rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid $line; text-align: left; vertical-align: top;
  overflow-wrap: break-word; }
tr:first-child th { color: $muted; font-weight: 500; font-size: .85rem; white-space: nowrap; }
td.number { text-align: right; white-space: nowrap; } td small { display: block; }
th i { display: inline-block; width: .7em; height: .7em; border-radius: 50%; margin-right: .5em; }
.wide { overflow-x: auto; } li { margin: .2rem 0; } details { margin: .4rem 0; }
tr th:first-child { white-space: nowrap; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(22rem, 1fr)); gap: 1rem; }
.frames { grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); }
figure { margin: 0; min-width: 0; } figcaption { text-align: center; }
""")

PAGE = Template(f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>$style</style>
<script>$plotly</script>
</head>
<body>
<h1>$title</h1>
<p class="note">$about</p>
$content
</body>
</html>
""")
