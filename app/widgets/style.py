"""The look of everything around the stage: Streamlit's theme, and the few rules that it cannot express."""

from __future__ import annotations

import html
from typing import Any

import streamlit as st

from ltviz.figures.palette import THEMES

from .reduced import draw_nav

FONT = '"Source Sans", "Source Sans 3", sans-serif'
"""What the theme's "sans-serif" is on Streamlit's pages, for what draws its own letters."""

CSS = """
<style>
.stMainBlockContainer { padding: 3.7rem 1.6rem 2rem; max-width: none; }
.stMainBlockContainer > div > [data-testid="stVerticalBlock"], .stMainBlockContainer > [data-testid="stVerticalBlock"] {
  gap: .6rem;
}
.stMain, section[data-testid="stSidebar"] { font-variant-numeric: tabular-nums; }
[data-testid="stSidebarHeader"] { height: 3.4rem; margin: 0; padding: .2rem .2rem 0; }
[data-testid="stSidebarHeader"]::before {
  content: "ltviz"; font-size: 1.25rem; font-weight: 700; letter-spacing: -.01em;
}
[data-testid="stSidebarUserContent"] { padding: 0 .2rem 2rem; }
[data-testid="stStatusWidget"] { display: none; }
[data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] p { color: inherit !important; }
[data-testid="stCaptionContainer"] { opacity: .72; }
section[data-testid="stSidebar"] [data-testid="stVerticalBlock"] { gap: .5rem; }
section[data-testid="stSidebar"] [data-testid="stCheckbox"] { min-height: 1.5rem; }
section[data-testid="stSidebar"] [data-testid="stCheckbox"] [data-testid="stMarkdownContainer"],
section[data-testid="stSidebar"] [data-testid="stCheckbox"] p { white-space: normal; line-height: 1.35; }
section[data-testid="stSidebar"] [data-testid="stText"] { font-size: .84rem; line-height: 1.4; }
[class*="st-key-grid"] {
  display: grid; gap: .6rem 1rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, max(18rem, (100% - 2rem) / 3)), 1fr));
}
[class*="st-key-grid2-"] {
  grid-template-columns: repeat(auto-fill, minmax(min(100%, max(18rem, (100% - 1rem) / 2)), 1fr));
}
[class*="st-key-grid"] > * { min-width: 0; width: 100%; }
.st-key-counts { overflow: hidden; padding: 0; }
.ltviz-samples {
  display: grid; grid-template-columns: minmax(2.2rem, max-content) 1fr; gap: .2rem .6rem; align-items: center;
  font-size: .8rem;
}
.ltviz-samples span { max-width: 5.5rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; opacity: .72; }
.ltviz-samples img { display: block; max-width: 100%; image-rendering: pixelated; }
.ltviz-heading {
  margin: .5rem 0 0; font-size: .74rem; font-weight: 600; letter-spacing: .08em;
  text-transform: uppercase; opacity: .64;
}
[class*="st-key-run-"] { border-top: 1px solid var(--st-border-color, #8884); padding: .35rem 0 .2rem; }
[class*="st-key-run-"] p { margin: 0; }
.ltviz-run { display: flex; align-items: baseline; gap: .5rem; line-height: 1.35; }
.ltviz-run i { flex: none; width: .6rem; height: .6rem; border-radius: 50%; }
.ltviz-run div { flex: 1; min-width: 0; }
.ltviz-run b { font-weight: 600; overflow-wrap: anywhere; }
.ltviz-run small { display: block; font-size: .8rem; opacity: .72; white-space: nowrap; }
.ltviz-dots { display: inline-flex; gap: .15rem; margin-right: .4rem; vertical-align: .05rem; }
.ltviz-dots i { width: .5rem; height: .5rem; border-radius: 50%; }
.st-key-waiting button { min-height: 1.7rem; padding: 0; }
.ltviz-run hr {
  height: 2px; margin: .2rem 0 0; border: 0; background: currentColor; opacity: .7; transition: width .9s linear;
}
button[aria-checked="true"], button[aria-checked="true"] * { color: inherit !important; font-weight: 600; }
dl.ltviz-facts, dl.ltviz-columns, dl.ltviz-measured { margin: 0 !important; padding: 0 !important; }
.ltviz-facts, .ltviz-columns { display: grid; gap: .5rem 1.6rem; }
[class*="st-key-emb-counts"] { max-width: 44rem; }
.ltviz-facts { grid-template-columns: repeat(auto-fit, minmax(7rem, max-content)); }
.ltviz-columns { grid-template-columns: repeat(auto-fit, minmax(min(100%, 15rem), 1fr)); font-size: .9rem; }
.ltviz-facts dt, .ltviz-columns dt { font-size: .78rem; opacity: .72; }
.ltviz-facts dd { margin: 0; font-size: 1.5rem; font-weight: 600; line-height: 1.2; }
.ltviz-columns dd { margin: 0; overflow-wrap: anywhere; }
.ltviz-note { margin: 0; font-size: .87rem; line-height: 1.4; overflow-wrap: anywhere; }
.ltviz-measures { overflow-x: auto; font-size: .87rem; }
.ltviz-measured { columns: 4 18rem; column-gap: 2rem; font-size: .87rem; }
.ltviz-measured > div {
  display: flex; justify-content: space-between; gap: .8rem; break-inside: avoid; margin: 0; padding: .2rem 0;
  border-bottom: 1px solid var(--st-border-color, #8884);
}
.ltviz-measured dd { margin: 0; white-space: nowrap; }
.ltviz-measures table { border-collapse: collapse; }
.ltviz-measures th { font-weight: 400; text-align: left; }
.ltviz-measures thead th, .ltviz-measures td { text-align: right; overflow-wrap: anywhere; }
.ltviz-measures td, .ltviz-measures th { padding: .22rem .9rem .22rem 0; border: 0; }
.ltviz-measures tbody tr { border-top: 1px solid var(--st-border-color, #8884); }
.ltviz-measures thead th { font-weight: 600; }
.ltviz-court, .st-key-museum { display: grid; gap: 1.1rem 2.4rem; margin-top: .3rem; }
.ltviz-court, .st-key-museum { grid-template-columns: repeat(auto-fill, minmax(min(100%, 21rem), 1fr)); }
.ltviz-court section, [class*="st-key-exhibit-"] { border-top: 1px solid var(--st-border-color, #8884); }
.ltviz-court section { padding-top: .55rem; font-size: .9rem; }
[class*="st-key-exhibit-"] { gap: .5rem; padding: .55rem 0 .4rem; min-width: 0; justify-content: space-between; }
[class*="st-key-exhibit-"] button { min-height: 0; padding: .15rem .7rem; }
.ltviz-court h3, .ltviz-exhibit h3 { margin: 0; padding: 0; font-size: 1.05rem; font-weight: 600; line-height: 1.35; }
.ltviz-court h3 { display: flex; justify-content: space-between; align-items: baseline; gap: 1rem; }
.ltviz-court h3 small, .ltviz-exhibit small { font-size: .8rem; font-weight: 400; opacity: .72; white-space: nowrap; }
.ltviz-exhibit small { white-space: normal; }
.ltviz-court p, .ltviz-exhibit p { margin: .25rem 0; opacity: .72; line-height: 1.4; font-size: .87rem; }
.ltviz-court dl, .ltviz-exhibit dl { margin: .4rem 0 !important; padding: 0 !important; }
.ltviz-court dl > div { display: grid; grid-template-columns: 5rem 1fr; font-size: .84rem; }
.ltviz-court dt, .ltviz-exhibit dt { font-weight: 400; opacity: .72; }
.ltviz-court dd, .ltviz-exhibit dd { margin: 0; }
.ltviz-court ul { list-style: none; margin: .4rem 0 !important; padding: 0 !important; }
.ltviz-court li {
  display: grid; grid-template-columns: 1fr auto 3.3rem; gap: .7rem; align-items: center; margin: 0; padding: .1rem 0;
}
.ltviz-court li b { font-weight: 400; opacity: .72; }
.ltviz-court .ltviz-lost b, .ltviz-exhibit.ltviz-lost div:last-child dd { font-weight: 600; opacity: 1; }
.ltviz-court .ltviz-lost b, .ltviz-court .ltviz-lost em, .ltviz-exhibit.ltviz-lost div:last-child dd {
  color: color-mix(in srgb, #f04a12 72%, currentColor);
}
.ltviz-court em { display: flex; align-items: flex-end; gap: 3px; height: 18px; opacity: .85; }
.ltviz-court em i { width: 9px; background: currentColor; }
.ltviz-court em i.ltviz-below { transform: translateY(100%); }
.ltviz-exhibit dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(6.5rem, max-content)); }
.ltviz-exhibit dl { gap: .2rem 1.6rem; }
.ltviz-exhibit dt { font-size: .78rem; }
.ltviz-exhibit dd { font-size: .98rem; font-weight: 600; }
.ltviz-lead h2 { margin: .2rem 0 .1rem; padding: 0; font-size: 1.6rem; font-weight: 650; letter-spacing: -.01em; }
.ltviz-lead p { margin: 0 0 .6rem; max-width: 44rem; opacity: .72; }
.st-key-lessons { display: grid; gap: 0 3rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 26rem), 1fr)); }
[class*="st-key-entry-"] { gap: 0 !important; padding: .55rem 0 .8rem; }
[class*="st-key-entry-"] { border-top: 1px solid var(--st-border-color, #8884); }
[class*="st-key-entry-"] button { min-height: 0; padding: .15rem 0; text-align: left; }
[class*="st-key-entry-"] button p { font-size: 1.08rem; font-weight: 600; text-align: left; }
.ltviz-entry { display: flex; justify-content: space-between; gap: 1.2rem; margin: 0; font-size: .93rem; opacity: .72; }
.ltviz-entry b { font-weight: 400; white-space: nowrap; }
.ltviz-lesson { display: flex; flex-wrap: wrap; align-items: baseline; gap: .2rem 1.2rem; margin: .1rem 0 .3rem; }
.ltviz-lesson h2 { flex: 1 1 auto; margin: 0; padding: 0; font-size: 1.15rem; font-weight: 650; }
.ltviz-lesson p { margin: 0; font-size: .87rem; opacity: .72; }
.ltviz-lesson div { display: flex; gap: 4px; flex-basis: 100%; }
.ltviz-lesson div i { flex: 1; height: 3px; border-radius: 2px; background: currentColor; opacity: .16; }
.ltviz-lesson div i.done { opacity: .8; }
.ltviz-step { margin: 0; padding: 0; font-size: 1.5rem; font-weight: 650; line-height: 1.25; letter-spacing: -.01em; }
[class*="st-key-lesson-"] [data-testid="stMarkdownContainer"] p { line-height: 1.55; }
.st-key-lesson-text[dir="rtl"], [dir="rtl"] [data-testid="stMarkdownContainer"] { text-align: right; }
.st-key-lesson-text[dir="rtl"] .katex { direction: ltr; }
.st-key-lesson-text .katex-display { margin: .3rem 0; overflow: auto hidden; padding: .2rem 0; }
[data-term] { border-radius: 4px; cursor: default; transition: background .12s; }
[data-term].ltviz-lit { background: color-mix(in srgb, currentColor 20%, transparent); }
.ltviz-wait { border-left: 3px solid #e69f00; padding: .1rem 0 .1rem .8rem; }
.ltviz-wait b { font-size: .87rem; font-weight: 600; }
.ltviz-wait p { margin: .1rem 0 0; font-size: 1.02rem; line-height: 1.5; }
.ltviz-words { font-size: .87rem; }
.ltviz-words summary { cursor: pointer; opacity: .72; }
.ltviz-words p { margin: .3rem 0 0; line-height: 1.45; overflow-wrap: anywhere; }
.ltviz-verdict { border-top: 1px solid var(--st-border-color, #8884); padding-top: .6rem; }
.ltviz-verdict p { margin: 0 0 .5rem; line-height: 1.5; font-weight: 600; overflow-wrap: anywhere; }
.ltviz-verdict p::before { content: "\\2713\\00a0"; }
.ltviz-verdict[data-verdict="wrong"] p::before { content: "\\2715\\00a0"; }
dl.ltviz-answers { display: grid; gap: .18rem .8rem; margin: 0 !important; padding: 0 !important; font-size: .87rem; }
dl.ltviz-short { grid-template-columns: max-content 1fr; }
.ltviz-answers dt { font-weight: 400; overflow-wrap: anywhere; }
.ltviz-answers em { font-style: normal; font-weight: 600; }
.ltviz-answers dd { display: flex; align-items: center; gap: .6rem; margin: 0; white-space: nowrap; }
.ltviz-answers dd i { flex: none; height: 4px; min-width: 1px; border-radius: 2px; opacity: .7; }
.ltviz-answers dd i { background: currentColor; }
.st-key-lesson [data-testid="stWidgetLabel"],
.st-key-lesson [data-testid="stWidgetLabel"] p { color: inherit !important; }
.st-key-lesson [data-testid="stWidgetLabel"] p { font-size: 1rem; font-weight: 600; line-height: 1.5; }
.stApp:has(.st-key-slides) [data-testid="stHeader"] { display: none; }
.stMainBlockContainer:has(.st-key-slides) { padding-top: .8rem; }
.st-key-slides .ltviz-step { font-size: 2.2rem; }
.st-key-slides [class*="st-key-lesson-"] [data-testid="stMarkdownContainer"] p { font-size: 1.65rem; line-height: 1.4; }
.st-key-slides .st-key-ways [data-testid="stMarkdownContainer"] p { font-size: 1.25rem; }
.st-key-slides .st-key-lesson-text .katex-display > .katex { font-size: 1.7rem; }
.st-key-slides .ltviz-verdict p, .st-key-slides dl.ltviz-answers { font-size: 1.45rem; }
.stApp:has(.st-key-slides) .ltviz-lesson p { font-size: 1.1rem; }
@media (max-width: 800px) {
  .st-key-lesson [data-testid="stColumn"] { flex: 1 1 100%; min-width: 100%; }
  .st-key-lesson [data-testid="stColumn"]:last-child { order: -1; }
}
[class*="st-key-gone-"] { display: none !important; }
.stApp:has(.ltviz-no-nav) [data-testid="stHeader"] { display: none; }
.stMainBlockContainer:has(.ltviz-no-nav) { padding-top: 1rem; }
.ltviz-trouble {
  padding: .6rem .9rem; border-left: 3px solid #d55e00; background: color-mix(in srgb, #d55e00 9%, transparent);
  font-weight: 600; overflow-wrap: anywhere;
}
.ltviz-legend { display: flex; flex-wrap: wrap; gap: .2rem 1.3rem; font-size: .87rem; }
.ltviz-legend i { width: 28px; height: 2px; }
.ltviz-legend span { display: inline-flex; align-items: center; gap: .45rem; }
</style>
"""


FILLED = {"light": "#1c1f24", "dark": "#566a85"}
"""Behind the white text of the one filled button: ink, and at night the lightest slate that white is readable on."""


def draw_style() -> None:
    """Puts the rules into the page; nothing from outside goes in here."""
    st.html(CSS)
    draw_nav()


def draw_heading(text: str) -> None:
    """A quiet heading for a part of the sidebar or the page."""
    st.html(f'<h2 class="ltviz-heading">{html.escape(text)}</h2>')


def theme_options() -> dict[str, Any]:
    """Streamlit's options for both themes. Ink is the primary colour: only the stage is colourful."""
    options: dict[str, Any] = {
        "theme.font": "sans-serif",
        "theme.baseFontSize": 15,
        "theme.baseRadius": "0.4rem",
        "theme.showWidgetBorder": True,
        "theme.showSidebarBorder": True,
    }
    for name in ("light", "dark"):
        colours = THEMES[name]
        options |= {
            f"theme.{name}.backgroundColor": colours["paper"],
            f"theme.{name}.secondaryBackgroundColor": colours["paper"],
            f"theme.{name}.textColor": colours["ink"],
            f"theme.{name}.primaryColor": FILLED[name],
            f"theme.{name}.borderColor": colours["line"],
            f"theme.{name}.sidebar.backgroundColor": colours["paper"],
        }
    return options
