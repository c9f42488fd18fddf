"""Figures as plotly's JSON: plain dictionaries, drawn by the copy of plotly.js in the page."""
