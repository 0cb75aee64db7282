"""Tests of the client; a package, so that they can share a server."""
