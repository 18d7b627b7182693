"""Fixtures that the tests of several rooms share."""

from tests.support.warehouse import warehouse

__all__ = ["warehouse"]
