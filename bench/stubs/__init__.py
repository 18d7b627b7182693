"""Stubs of the services that the functions call: as cheap as possible, because they share the cores."""
