"""Messages in several languages: every text is translated, and numbers follow the conventions of the language."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, localcontext
from typing import Any

import pytest
from babel import Locale
from babel.numbers import format_decimal
from click.testing import CliRunner
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from fitcard.answer.answer import answer_question
from fitcard.answer.question import read_question
from fitcard.cli.main import main
from fitcard.compiler.engine import Engine
from fitcard.lint.run import run_checks
from fitcard.rulebook.formats import ValueFormat
from fitcard.source.yaml_reader import read_text
from fitcard.values import format_decimals
from fitcard.web.app import create_app
from helpers.project import project_rules
from helpers.workplace import PROJECT, Workplace

OTHERS = ("zh", "es", "de", "ja", "pt-BR")
QUESTIONS = [
    {"model": "llama-3.1-405b", "device": "h20-96gb", "mode": "interactive"},
    {"model": "llama-3.1-8b", "device": "rtx-4090-24gb", "workload": "chat"},
    {"model": "qwen-3-14b", "device": "m1-16gb", "runtime": "vllm", "context": "100000"},
]
SAID = {"verdict", "sentence", "label", "title", "question", "answer", "about", "quality", "bandwidth", "html"}
COMMANDS = re.compile("/settings_(prepare|command)/")  # for a terminal, whatever one speaks
SLOT, TWO_WORDS = re.compile(r"\{[\w.:]*\}"), re.compile(r"[A-Za-z]{2,} [A-Za-z]{2,}")
READ_BY_PEOPLE = [
    ("workloads", "name"),
    ("modes", "name"),
    ("modes", "about"),
    ("quants", "quality"),
    ("hosts", "name"),
]
APP = create_app(project_rules())
ADDRESS = "/v1/can-run/llama-3.1-405b-on-h20-96gb"


@pytest.fixture
def client() -> FlaskClient:
    return APP.test_client()


def texts(language: str) -> dict[str, str]:
    """The texts of a file of messages by their place, without what is translated of catalogs."""

    def inside(value: Any, place: str) -> Iterator[tuple[str, str]]:
        if isinstance(value, str):
            yield place, value
            return
        for key, part in value.items():
            yield from inside(part, f"{place}/{key}")

    path = PROJECT / "catalogs" / "messages" / f"{language}.yaml"
    document, _ = read_text(path.read_text("utf-8"), path.name)
    assert document is not None
    sections = {key: document.data[key] for key in ("sentences", "labels", "problems")}
    return dict(inside(sections, ""))


def leaves(value: Any, key: str = "", place: str = "") -> Iterator[tuple[str, str, Any]]:
    """Each value of an answer: its place, its key, and itself."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from leaves(part, name, f"{place}.{name}")
    elif isinstance(value, list):
        for at, part in enumerate(value):
            yield from leaves(part, key, f"{place}.{at}")
    else:
        yield place, key, value


def test_answers_are_in_six_languages(engine: Engine) -> None:
    assert set(engine.rulebook.languages) == {"en", *OTHERS}
    assert engine.rulebook.messages.language == "en"


@pytest.mark.parametrize("language", OTHERS)
def test_each_language_has_every_text_with_the_same_slots_and_no_other(language: str) -> None:
    english, translated = texts("en"), texts(language)
    assert set(translated) == set(english)
    assert {key: set(SLOT.findall(text)) for key, text in translated.items()} == {
        key: set(SLOT.findall(text)) for key, text in english.items()
    }


@pytest.mark.parametrize("language", OTHERS)
def test_every_message_of_two_words_is_translated(language: str) -> None:
    english, translated = texts("en"), texts(language)
    assert [
        key
        for key, text in english.items()
        if TWO_WORDS.search(SLOT.sub("", text)) and translated[key] == text and not COMMANDS.search(key)
    ] == []


@pytest.mark.parametrize("language", OTHERS)
def test_texts_of_catalogs_that_people_read_are_translated(engine: Engine, language: str) -> None:
    for kind, field in READ_BY_PEOPLE:
        written = {str(entry.value(field)) for entry in engine.rulebook.catalogs[kind].entries.values()}
        assert written == set(engine.rulebook.languages[language].names[kind][field]), (kind, field)


@pytest.mark.parametrize("asked", QUESTIONS, ids=lambda asked: asked["device"])
@pytest.mark.parametrize("language", OTHERS)
def test_a_translated_answer_has_the_same_shape_and_numbers_and_no_english(
    engine: Engine, language: str, asked: dict[str, str]
) -> None:
    question = read_question(engine.rulebook, asked)
    english, translated = (
        answer_question(spoken, question).to_dict() for spoken in (engine, engine.in_language(language))
    )
    engine.rulebook.schemas.validator("answer").validate(translated)
    pairs = list(zip(leaves(english), leaves(translated), strict=True))
    assert all(one[0] == other[0] for one, other in pairs)
    assert [one for one, other in pairs if one[1] in SAID and one[2] == other[2]] == []
    kept = [(one, other) for one, other in pairs if not isinstance(one[2], str)]
    assert all(one == other for one, other in kept)


def test_names_of_models_and_devices_are_never_translated(engine: Engine) -> None:
    for messages in engine.rulebook.languages.values():
        assert not {"models", "devices"} & set(messages.names)


@pytest.mark.parametrize(
    ("language", "memory", "speed", "price", "share", "day"),
    [
        ("en", "1265.2 GB", "2.3 tok/s", "$9,499", "62 %", "Nov 24, 2026"),
        ("zh", "1265.2 GB", "2.3 tok/s", "US$9,499", "62%", "2026年11月24日"),
        ("es", "1265,2 GB", "2,3 tok/s", "9.499\xa0US$", "62 %", "24 nov 2026"),
        ("de", "1265,2 GB", "2,3 tok/s", "9.499\xa0$", "62 %", "24.11.2026"),
        ("ja", "1265.2 GB", "2.3 tok/s", "$9,499", "62%", "2026/11/24"),
        ("pt-BR", "1265,2 GB", "2,3 tok/s", "US$\xa09.499", "62%", "24 de nov. de 2026"),
    ],
)
def test_numbers_money_and_days_are_written_in_the_way_of_the_language(
    engine: Engine, language: str, memory: str, speed: str, price: str, share: str, day: str
) -> None:
    messages = engine.rulebook.languages[language]
    assert messages.label("gb", value=1265.15) == memory
    assert messages.label("tok_s", value=2.3499) == speed
    assert messages.label("usd", value=9499.0) == price
    assert messages.label("percent", value=61.5) == share
    assert messages.formats["day"].write("2026-11-24") == day


@given(
    number=st.floats(allow_nan=False, allow_infinity=False),
    language=st.sampled_from(("en", *OTHERS, "fa", "hi", "de-CH")),
    decimals=st.integers(0, 4),
)
def test_numbers_without_groups_are_written_as_babel_writes_them(number: float, language: str, decimals: int) -> None:
    locale = Locale.parse(language, sep="-")
    pattern = "0." + "0" * decimals if decimals else "0"
    with localcontext(prec=400):
        expected = format_decimal(
            Decimal(format_decimals(number, decimals)), pattern, locale, decimal_quantization=False
        )
    assert ValueFormat(locale, decimals=decimals).write(number) == expected


@pytest.mark.parametrize("language", OTHERS)
def test_a_verdict_holds_its_figures_as_readers_write_them(engine: Engine, language: str) -> None:
    spoken = engine.in_language(language)
    question = {"model": "llama-3.1-405b", "device": "h20-96gb", "profile": "reference"}
    built = answer_question(spoken, read_question(spoken.rulebook, question)).to_dict()
    point = "," if language in ("es", "de", "pt-BR") else "."
    assert f"265{point}2 GB" in built["verdict"]
    assert f"96{point}0 GB" in built["verdict"]


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-AT,en;q=0.9", "de"),
        ("fr,ja;q=0.8,en;q=0.7", "ja"),
        ("en;q=0.3,es;q=0.9", "es"),
        ("zh-Hans-CN", "zh"),
        ("ZH-tw", "zh"),
        ("pt", "pt-BR"),
        ("pt-PT,en;q=0.5", "pt-BR"),
        ("fr", "en"),
        ("*", "en"),
        ("de;q=0,es;q=0.1", "es"),
        ("!!", "en"),
    ],
)
def test_the_best_of_the_languages_that_a_browser_accepts_is_spoken(
    client: FlaskClient, wanted: str, language: str
) -> None:
    response = client.get(ADDRESS, headers={"Accept-Language": wanted})
    assert (response.status_code, response.headers["Content-Language"]) == (200, language)
    assert "Accept-Language" in response.headers["Vary"]


def test_the_language_of_an_address_precedes_accept_language(client: FlaskClient) -> None:
    response = client.get(f"{ADDRESS}?lang=es", headers={"Accept-Language": "de"})
    assert response.headers["Content-Language"] == "es"
    assert "demasiado grande" in response.get_json()["verdict"]
    posted = client.post("/v1/can-run?lang=de", json=QUESTIONS[0])
    assert "zu groß" in posted.get_json()["verdict"]


def test_an_unknown_language_is_refused_with_those_available(client: FlaskClient, engine: Engine) -> None:
    response = client.get(f"{ADDRESS}?lang=fr", headers={"Accept-Language": "es"})
    assert (response.status_code, response.mimetype) == (400, "application/problem+json")
    document = response.get_json()
    engine.rulebook.schemas.validator("problem").validate(document)
    assert document["problems"][0]["code"] == "unknown-language"
    assert document["problems"][0]["closest"] == list(engine.rulebook.languages)
    assert document["detail"].startswith("No hay respuestas en «fr».")


def test_two_languages_in_one_address_are_refused(client: FlaskClient) -> None:
    response = client.get(f"{ADDRESS}?lang=de&lang=es")
    assert response.get_json()["problems"][0]["code"] == "repeated-parameter"


def test_each_language_has_a_tag_of_its_own(client: FlaskClient) -> None:
    tags = {language: client.get(f"{ADDRESS}?lang={language}").headers["ETag"] for language in ("en", *OTHERS)}
    assert len(set(tags.values())) == len(tags)
    german = {"If-None-Match": tags["de"]}
    assert client.get(f"{ADDRESS}?lang=de", headers=german).status_code == 304
    assert client.get(f"{ADDRESS}?lang=es", headers=german).status_code == 200


def test_problems_are_in_the_requested_language(client: FlaskClient) -> None:
    response = client.get("/v1/can-run/llama-3.1-405b-on-h21-96gb?lang=de")
    document = response.get_json()
    assert (response.status_code, response.headers["Content-Language"]) == (404, "de")
    assert document["title"] == "Nicht gefunden"
    assert document["detail"].startswith("Für „device“ gibt es keinen Eintrag „h21-96gb“. Am nächsten kommt: h20-96gb")
    assert client.get("/nowhere", headers={"Accept-Language": "ja"}).get_json()["title"] == "見つかりません"


def test_a_page_in_a_terminal_speaks_the_language_of_its_option() -> None:
    ended = CliRunner().invoke(main, ["show", "llama-3.1-405b", "h20-96gb", "--lang", "de"], env={"COLUMNS": "150"})
    assert ended.exit_code == 0
    assert all(word in ended.output for word in ("Zu groß", "Einsatzzweck", "Programmieren mit Agenten"))
    assert re.search(r"\d,\d tok/s", ended.output)
    assert not re.search(r"\d\.\d tok/s", ended.output)
    english = [text for key, text in texts("en").items() if TWO_WORDS.search(text) and not SLOT.search(text)]
    assert [text for text in english if text in ended.output] == []


def test_a_page_in_chinese_cuts_no_sentence_short() -> None:
    ended = CliRunner().invoke(main, ["show", "llama-3.1-70b", "rtx-4090-24gb", "--lang", "zh"], env={"COLUMNS": "80"})
    assert ended.exit_code == 0
    assert "…" not in ended.output


def test_a_command_with_a_language_that_is_not_there_is_misuse() -> None:
    ended = CliRunner().invoke(main, ["show", "llama-3.1-405b", "h20-96gb", "--lang", "fr"])
    assert ended.exit_code == 2
    assert "There are no answers in 'fr'. There are: en, de, es, ja, pt-BR, zh." in ended.output


GERMAN = "catalogs/messages/de.yaml"
LARGE = {"model": "llama-3.1-70b", "device": "h100-80gb"}


def in_german(small: Workplace, parameters: dict[str, str]) -> dict[str, Any]:
    """An answer of the small rulebook in German."""
    engine = small.load().in_language("de")
    return answer_question(engine, read_question(engine.rulebook, parameters)).to_dict()


def test_a_language_takes_the_formats_of_the_default_language(small: Workplace) -> None:
    verdict = "Llama 3.1 70B passt knapp auf H100 80GB; das Laden dauert 10 Sekunden."
    assert in_german(small, LARGE)["verdict"] == verdict


def test_a_language_may_have_its_own_formats_and_names_of_entries(small: Workplace) -> None:
    own = "formats:\n  whole: {decimals: 1}\nnames:\n  models:\n    name: {Llama 3.1 70B: Lama 70B}\nsentences:"
    small.edit(GERMAN, "sentences:", own)
    built = in_german(small, LARGE)
    assert built["verdict"] == "Lama 70B passt knapp auf H100 80GB; das Laden dauert 9,6 Sekunden."
    assert built["model"] == "Lama 70B"
    engine = small.load()
    assert answer_question(engine, read_question(engine.rulebook, LARGE)).to_dict()["model"] == "Llama 3.1 70B"


def test_a_language_may_select_texts_by_a_table_of_its_own(small: Workplace) -> None:
    table = (
        "tables:\n  duration:\n    kind: bands\n    input: load_time\n    unit: word\n    about: Load time in a word.\n"
    )
    rows = "    rows: [{at_most: 1.2, gives: one}, {otherwise: more}]\n"
    small.edit("rules/fit.yaml", "tables:\n", table + rows)
    text = small.path(GERMAN).read_text("utf-8")
    by_duration = """  verdict:
    by: duration
    text:
      one: "{model.name} auf {device.name}: {load_time:whole} Sekunde"
      more: "{model.name} auf {device.name}: {load_time:whole} Sekunden"
"""
    small.edit(GERMAN, text[text.index("  verdict:") : text.index("  rank_devices:")], by_duration)
    question = {"model": "llama-3.1-8b"}
    verdicts = [in_german(small, {**question, "context": context})["verdict"] for context in ("8000", "40000")]
    assert verdicts == ["Llama 3.1 8B auf M1 16GB: 1 Sekunde", "Llama 3.1 8B auf M1 16GB: 2 Sekunden"]
    assert run_checks(small.folders)[1] == []


def test_json_of_the_command_is_in_the_language_too() -> None:
    ended = CliRunner().invoke(main, ["show", "llama-3.1-405b", "h20-96gb", "--lang", "ja", "--json"])
    assert json.loads(ended.output)["fit"]["label"] == "重すぎる"


def test_every_label_of_the_form_is_in_the_language_of_the_page(engine: Engine) -> None:
    question_fields = engine.rulebook.question_fields
    titles = [one.title for one in (*question_fields.axes.values(), *question_fields.inputs.values())]
    for tag in engine.rulebook.languages.keys() - {"en"}:
        known = engine.rulebook.languages[tag].names["rulebook"]["title"]
        assert [title for title in titles if title not in known] == [], tag
    page = APP.test_client().get("/can-run/qwen-3-14b-on-m1-16gb?lang=de").get_data(as_text=True)
    words = ("Quantisierung", "Einsatzzweck", "Nutzer zugleich")
    assert all(re.search(rf">{word} ?<", page) for word in words)


def test_a_message_for_a_removed_field_is_a_warning(copy: Workplace) -> None:
    copy.edit("catalogs/messages/de.yaml", "      Host: Rechner", "      Hosts: Rechner")
    (problem,) = run_checks(copy.folders)[1]
    assert (problem.code, problem.closest) == ("message-unused", ("Host",))


def test_a_format_of_numbers_is_not_one_of_words(small: Workplace) -> None:
    small.edit("catalogs/messages/en.yaml", "{model.name} ", "{model.name:gb} ")
    problems = [problem for problem in run_checks(small.folders)[1] if problem.code == "message-format"]
    assert [problem.message for problem in problems] == ["`model.name` is a word, and the format `gb` is for numbers"]
