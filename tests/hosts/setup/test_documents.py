"""Clients' configuration files as values and back."""

from __future__ import annotations

import codecs
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill.errors import HostRefused
from ntm_memory_skill.hosts.setup.documents import JsonFormat, TomlFormat

JSON, TOML = JsonFormat(), TomlFormat()

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


class TestJson:
    """Plain JSON, in its own layout."""

    @given(
        st.dictionaries(st.text(), values, min_size=1), st.sampled_from([2, 4, "\t", None]), st.sampled_from(["", "\n"])
    )
    def test_what_is_not_changed_stays_byte_for_byte(self, value: dict[str, Any], indent: Any, end: str) -> None:
        """In the layouts that programs write: two blanks, four, tabs, one line; with an end of line or without."""
        data = (json.dumps(value, indent=indent, ensure_ascii=False) + end).encode("utf-8", "surrogatepass")
        assert JSON.render(JSON.parse(data), data) == data

    @given(st.dictionaries(st.text(), values))
    def test_every_value_and_the_order_of_names_survive(self, value: dict[str, Any]) -> None:
        """Whatever the layout was."""
        data = json.dumps(value, separators=(" ,  ", " :")).encode()
        again = JSON.parse(JSON.render(JSON.parse(data), data))
        assert json.dumps(again) == json.dumps(value)

    def test_a_byte_order_mark_and_windows_line_ends_stay(self) -> None:
        """As some editors leave them."""
        data = codecs.BOM_UTF8 + b'{\r\n  "a": 1\r\n}\r\n'
        assert JSON.render(JSON.parse(data), data) == data

    @pytest.mark.parametrize("text", ['{\n  "a": "\\u00e9"\n}', '{\n  "a": "é"\n}', '{\n  "a": "\\u0001"\n}'])
    def test_letters_stay_as_they_were_written(self, text: str) -> None:
        """As escapes, or as they are."""
        assert JSON.render(JSON.parse(text.encode()), text.encode()) == text.encode()

    def test_half_a_surrogate_pair_stays_an_escape(self) -> None:
        """It cannot be written otherwise."""
        data = b'{\n  "a": "\\ud83d"\n}\n'
        assert JSON.render(JSON.parse(data), data) == data

    @pytest.mark.parametrize("data", [b"", b" \n", b"{}", b"{}\n"])
    def test_an_empty_file_takes_the_usual_layout(self, data: bytes) -> None:
        """Two blanks; an end of line unless the file had none."""
        document = JSON.parse(data)
        document["a"] = 1
        assert JSON.render(document, data).rstrip(b"\n") == b'{\n  "a": 1\n}'

    @pytest.mark.parametrize(
        "data",
        [
            b"{ // remark\n}",
            b'{"a": 1,}',
            b"[]",
            b"1",
            b"{",
            b'{"a": NaN}',
            b'{"a": 1, "a": 2}',
            b"\xff",
            b'{"b": {"c": 1, "c": 1}}',
        ],
    )
    def test_what_would_lose_something_is_refused(self, data: bytes) -> None:
        """Comments, a name twice, or what is no JSON object at all."""
        with pytest.raises(HostRefused):
            JSON.parse(data)


class TestToml:
    """TOML, with its comments."""

    DATA = b"""# mine
model = "o"  # good

[mcp_servers.a]
command = "a"

[tui]
x = 1

[mcp_servers.b]
command = "b"
"""

    def test_what_is_not_changed_stays_byte_for_byte(self) -> None:
        """Tables that are scattered over the file included."""
        assert TOML.render(TOML.parse(self.DATA), self.DATA) == self.DATA

    def test_what_is_put_in_and_taken_out_leaves_no_trace(self) -> None:
        """Beside other servers, wherever they stand."""
        document = TOML.parse(self.DATA)
        document["mcp_servers"]["c"] = {"command": "c", "args": ["x"]}
        added = TOML.render(document, self.DATA)
        again = TOML.parse(added)
        assert dict(again["mcp_servers"]["c"]) == {"command": "c", "args": ["x"]}
        del again["mcp_servers"]["c"]
        assert TOML.render(again, added) == self.DATA

    @pytest.mark.parametrize("data", [b"a = ", b"a = 1\na = 2\n", b"[x", b"\xff"])
    def test_what_is_no_toml_is_refused(self, data: bytes) -> None:
        """Rather than overwritten."""
        with pytest.raises(HostRefused):
            TOML.parse(data)
