"""Servers of the Model Context Protocol as tools; nothing here trusts what such a server says.

`options`, `pins` and `schema` load no SDK; `server` does, and is imported only where one is
configured.
"""
