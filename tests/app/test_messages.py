"""What the stage knows of messages is what the server spells."""

from __future__ import annotations

from dataclasses import fields

from ltviz_app.service import messages, types_js


def test_the_generated_module_is_that_of_the_messages():
    said = types_js.TARGET.read_text(encoding="utf-8")
    assert said == types_js.generate(), "run `python -m app.service.types_js` in the root and commit what it writes"


def test_every_message_and_what_lies_in_it_has_a_type():
    said = types_js.generate()
    for kind in types_js.TYPES:
        assert f"@typedef {{object}} {kind.__name__}\n" in said
    for one in (*fields(messages.FrameHeader), *fields(messages.Delivery)):
        name = f"[{one.name}]" if messages.is_optional(one) else one.name
        assert f"}} {name} " in said or f"}} {name}\n" in said, one.name
    assert "export const LOSS_SCALE = 4096;\n" in said


def test_types_are_the_stages():
    said = types_js.generate()
    assert "@property {(number | null)[]} " not in said.split("readings")[0]
    assert "@property {Record<string, (number | null)[]>} [readings] By class, or one number." in said
    assert '@property {"follow" | "play" | "hold"} mode' in said
    assert "@property {ProjectionHeader | null} projection " in said
    assert "@property {[number, string, string][] | null} events " in said
