"""How requests travel. `http` is the only module that knows an HTTP library; it is imported when first needed."""

from .base import AsyncHTTPResponse, HTTPRequest, HTTPResponse, Timeouts, Transport

__all__ = ["AsyncHTTPResponse", "HTTPRequest", "HTTPResponse", "Timeouts", "Transport"]
