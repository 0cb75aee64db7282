"""Tests of the wire: a package, so that they can share what builds streams."""
