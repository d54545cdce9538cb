"""What every error of the client must keep to itself."""

from __future__ import annotations

KEY = "key-that-must-not-leak"
PROMPT = "prompt-that-must-not-leak"


def row(name: str) -> dict[str, object]:
    return {"partner_inference_id": name, "inference_data": {"input_text": PROMPT}}


def assert_safe(error: BaseException) -> None:
    """Nothing secret in an error, in what it holds, or in what caused it; and one line."""
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None
    for text in (str(error), repr(error), repr(vars(error))):
        assert KEY not in text
        assert PROMPT not in text
    assert "\n" not in str(error)
    assert str(error)
