"""The tables, in the order of the catalogue; importing one registers its cases."""
from . import formats, halts, hostile, layout, limits, names, prepared, special

__all__ = ["formats", "halts", "hostile", "layout", "limits", "names", "prepared", "special"]
