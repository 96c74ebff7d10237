"""Addresses of pages: encoded as the standard library encodes them, for any parameters."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from hypothesis import given
from hypothesis import strategies as st

from fitcard.web.pages.renderer import Address

WORDS = st.text(st.characters(exclude_categories=["Cs"]))
PARAMETERS = st.dictionaries(WORDS, WORDS)


@given(WORDS, PARAMETERS)
def test_an_address_has_each_parameter_that_is_not_empty(path: str, parameters: dict[str, str]) -> None:
    query = urlencode({name: value for name, value in parameters.items() if value})
    assert str(Address(path, parameters)) == quote(path) + (f"?{query}" if query else "")


@given(PARAMETERS, WORDS, st.lists(WORDS))
def test_addresses_that_vary_in_one_parameter_hold_each_of_its_values(
    parameters: dict[str, str], name: str, values: list[str]
) -> None:
    here = Address("/can-run/piano", parameters)
    varying = here.varying(name)
    assert [varying(value) for value in values] == [str(here.with_parameters(**{name: value})) for value in values]
