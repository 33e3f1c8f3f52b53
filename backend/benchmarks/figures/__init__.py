"""Figures of the image, the start, the reload, large lists and imports, against goals: `make figures`.

A figure is a function that takes the Lab and returns Figures; MEASUREMENTS in __main__.py names them.
"""
