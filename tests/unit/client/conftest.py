"""What the tests of the client share."""

from __future__ import annotations

import pytest

from cellvoice.protocol import Request, build_request, user_message

KEY = "sk-proj-abcdefghijklmnop1234"


@pytest.fixture
def request_to_speak() -> Request:
    return build_request(model="gpt-audio", voice="alloy", messages=[user_message("Say hello.")])
