"""Pages in Chromium; skipped where it is not installed."""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from waitress.server import create_server

from fitcard.cli.drawing import draw_answer
from fitcard.compiler.engine import Engine
from fitcard.web.app import create_app
from helpers.project import project_rules
from helpers.workplace import PROJECT

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium")
AXE = os.environ.get("FITCARD_AXE")  # what looks for barriers, from npm
FIT = "/can-run/llama-3.1-405b-on-h20-96gb?profile=reference"
PAGES = [
    "/", FIT, "/can-run/qwen-3-14b-on-m1-16gb/why/decode_tok_s", "/methodology", "/rules", "/rules/decode_tok_s",
    "/docs",
]  # fmt: skip
LARGEST = 60_000  # bytes of a fit page
LARGEST_CARD = 10_000

in_browser = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(project_rules()).test_client()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A server of the pages."""
    served = create_server(create_app(project_rules()), host="127.0.0.1", port=0, threads=4)
    thread = threading.Thread(target=served.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{served.effective_port}"
    served.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[playwright.Browser]:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: playwright.Browser, address: str) -> Iterator[playwright.Page]:
    """A page that fails the test where its script fails, it is refused something, or what it asks for is not there."""
    context = chromium.new_context(base_url=address, permissions=["clipboard-read", "clipboard-write"])
    shown = context.new_page()
    shown.set_default_timeout(10_000)
    wrong: list[str] = []
    shown.on("pageerror", lambda error: wrong.append(str(error)))
    shown.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
    shown.on("response", lambda response: wrong.append(response.url) if response.status >= 400 else None)
    yield shown
    context.close()
    assert wrong == []


@in_browser
def test_a_model_and_a_device_are_chosen_by_keyboard(page: playwright.Page) -> None:
    page.goto("/")
    for field, letters, name in (("Model", "qwen 3 14", "Qwen 3 14B"), ("Device", "m1 16", "MacBook Air M1 16GB")):
        page.get_by_label(field, exact=True).first.focus()
        page.keyboard.type(letters)
        page.locator(f'[role=listbox][data-of="{letters}"]').wait_for()  # each letter asks; what is found last stays
        page.get_by_role("option", name=name, exact=True).wait_for()
        page.keyboard.press("ArrowDown")
        while page.locator('[role=option][aria-selected="true"]:visible').inner_text() != name:
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.wait_for_url("**/can-run/qwen-3-14b-on-m1-16gb")
    assert page.get_by_role("heading", level=1).inner_text() == "Can MacBook Air M1 16GB run Qwen 3 14B?"


@in_browser
def test_a_model_and_a_device_can_be_pasted_in_one_line(page: playwright.Page) -> None:
    page.goto("/")
    page.get_by_label("Model", exact=True).first.fill("llama 3.1 8b on rtx 4090")
    page.keyboard.press("Enter")
    page.wait_for_url("**/can-run/llama-3.1-8b-on-rtx-4090-24gb")


@in_browser
def test_another_mode_ranks_otherwise_and_leaves_the_fit_as_it_is(page: playwright.Page) -> None:
    page.goto("/can-run/qwen-3-14b-on-m1-16gb")
    verdict, ranking = page.locator(".verdict").inner_text(), page.locator("p.faint").first.inner_text()
    page.evaluate("window.stays = true")
    page.get_by_role("link", name="Interactive").click()
    page.wait_for_url("**mode=interactive")
    page.wait_for_function("!document.querySelector('p.faint').innerText.startsWith('Balanced')")
    assert page.locator(".verdict").inner_text() == verdict
    assert page.locator("p.faint").first.inner_text() != ranking
    assert page.evaluate("window.stays"), "the page was loaded anew"


@in_browser
def test_another_quantization_changes_the_page_and_the_address(page: playwright.Page) -> None:
    page.goto("/can-run/qwen-3-14b-on-m1-16gb")
    weights = page.locator(".legend .weights").inner_text()
    page.get_by_label("Quantization", exact=True).select_option("Q2_K")
    page.wait_for_url("**quant=Q2_K**")
    page.wait_for_function("(before) => document.querySelector('.legend .weights').innerText !== before", arg=weights)
    page.go_back()
    page.wait_for_function("(before) => document.querySelector('.legend .weights').innerText === before", arg=weights)


@in_browser
def test_every_figure_shows_how_it_was_computed(page: playwright.Page) -> None:
    page.goto("/can-run/qwen-3-14b-on-m1-16gb")
    page.locator(".facts a.why").first.click()
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    assert "1 / step_time" in dialog.inner_text()
    assert re.search(r"rules/physics/decode\.yaml:\d+", dialog.inner_text())


@in_browser
def test_the_card_can_be_copied_and_is_seen_in_a_frame(page: playwright.Page) -> None:
    page.goto(FIT)
    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert 'width="400" height="180"' in copied
    assert "/embed/llama-3.1-405b-on-h20-96gb?profile=reference" in copied
    frame = page.frame_locator("iframe")
    assert "Too heavy" in frame.locator("body").inner_text()
    assert "265.2 GB / 96.0 GB" in frame.locator("body").inner_text()


@in_browser
def test_the_card_is_seen_in_the_page_of_another_and_the_page_itself_is_not(
    chromium: playwright.Browser, address: str
) -> None:
    pair = "qwen-3-14b-on-m1-16gb"
    frames = "".join(f'<iframe name="{kind}" src="{address}/{kind}/{pair}"></iframe>' for kind in ("embed", "can-run"))
    context, refused = chromium.new_context(), list[str]()
    page = context.new_page()
    page.on("console", lambda said: refused.append(said.text))
    other = Flask("other")
    other.add_url_rule("/", view_func=lambda: frames)
    served = create_server(other, host="127.0.0.1", port=0, threads=1)
    threading.Thread(target=served.run, daemon=True).start()
    page.goto(f"http://127.0.0.1:{served.effective_port}/")
    assert "Tight fit" in page.frame_locator("iframe[name=embed]").locator("body").inner_text()
    style = "getComputedStyle(document.querySelector('b')).fontSize"
    assert page.frame("embed").evaluate(style) == "20px", "the style of the card is refused"
    assert [text for text in refused if "frame-ancestors" in text]
    assert not [text for text in refused if "style" in text]
    context.close()
    served.close()


@in_browser
@pytest.mark.parametrize("width", [375, 768, 1440])
@pytest.mark.parametrize("path", PAGES)
def test_no_element_is_wider_than_the_window(page: playwright.Page, path: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@in_browser
@pytest.mark.skipif(AXE is None, reason="FITCARD_AXE names no axe.min.js (npm install axe-core)")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", [*PAGES, "/embed/qwen-3-14b-on-m1-16gb"])
def test_nobody_is_shut_out(page: playwright.Page, path: str, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(path)
    page.evaluate(Path(str(AXE)).read_text("utf-8"))
    found = page.evaluate("axe.run()")
    serious = [one for one in found["violations"] if one["impact"] in ("serious", "critical")]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in serious] == []


@in_browser
def test_without_scripts_the_page_is_complete(chromium: playwright.Browser, address: str) -> None:
    context = chromium.new_context(base_url=address, java_script_enabled=False)
    shown = context.new_page()
    shown.goto("/can-run/qwen-3-14b-on-m1-16gb")
    shown.get_by_label("Quantization", exact=True).select_option("Q8_0")
    shown.get_by_role("button", name="Update").click()
    shown.wait_for_url("**quant=Q8_0**")
    assert "Questions and answers" in shown.locator("main").inner_text()
    shown.locator(".facts a.why").first.click()
    shown.wait_for_url("**/why/decode_tok_s**")
    assert "step_time" in shown.locator("main").inner_text()
    context.close()


def test_the_figures_of_the_reference_page_are_all_there(client: FlaskClient) -> None:
    text = re.sub(r"<[^>]+>", " ", client.get(FIT).get_data(as_text=True))
    text = " ".join(text.split())
    for figure in (
        "265.2 GB / 96.0 GB", "169.2 GB over capacity", "2.3 tok/s", "84638 ms", "4K", "60 %", "45067 ms", "129055 ms",
        "100027 ms", "161319 ms", "158.0 GB", "198.5 GB", "226.8 GB", "247.1 GB", "291.6 GB", "332.1 GB", "433.4 GB",
        "830.2 GB", "417 %", "$20,000", "131K", "Too heavy", "Not enough usable memory", "Balanced", "Maximum",
    ):  # fmt: skip
        assert figure in text, figure


@pytest.mark.parametrize(
    "device", ["m1-16gb", "rtx-4090-24gb", "h20-96gb", "strix-halo-395-128gb", "rtx-4060-laptop-8gb"]
)
def test_every_kind_of_answer_can_be_drawn(client: FlaskClient, engine: Engine, device: str) -> None:
    for model in ("qwen-3-14b", "gpt-oss-120b", "deepseek-v3", "gemma-3-27b"):
        for asked in (
            "",
            "?quant=Q8_0&kv=q8_0",
            "?gpus=2&workload=rag&lang=ja",
            "?profile=reference",
            "?runtime=vllm&quant=FP8",
        ):
            assert client.get(f"/can-run/{model}-on-{device}{asked}").status_code == 200
            draw_answer(client.get(f"/v1/can-run/{model}-on-{device}{asked}").get_json(), engine.rulebook.messages)


def test_a_fit_page_and_a_card_are_small(client: FlaskClient) -> None:
    for path in (FIT, "/can-run/qwen-3-14b-on-m1-16gb"):
        assert len(client.get(path).data) < LARGEST
    assert len(client.get("/embed/qwen-3-14b-on-m1-16gb").data) < LARGEST_CARD


def test_a_card_needs_neither_scripts_nor_external_resources(client: FlaskClient) -> None:
    card = client.get("/embed/qwen-3-14b-on-m1-16gb").get_data(as_text=True)
    assert "<script" not in card
    assert not re.search(r"(src|<link|url\()", card)


@pytest.mark.parametrize("path", PAGES)
def test_each_page_has_a_title_a_description_and_headings_in_order(client: FlaskClient, path: str) -> None:
    text = client.get(path).get_data(as_text=True)
    assert re.search(r"<title>[^<]{5,}</title>", text)
    assert re.search(r'<meta name="description" content="[^"]{20,}">', text)
    levels = [int(level) for level in re.findall(r"<h(\d)", text)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_sources_of_a_measured_run_are_shown_as_words(client: FlaskClient) -> None:
    text = client.get("/can-run/llama-3.1-70b-on-rtx-4090-24gb?gpus=2").get_data(as_text=True)
    assert "Measured: 19.2 tok/s (llama.cpp-2024, XiongjieDai/GPU-Benchmarks-on-LLM-Inference@" in text


def test_an_unknown_name_gets_links_to_the_closest(client: FlaskClient) -> None:
    response = client.get("/find?model=qwen-3-14&device=m1-16gb")
    assert response.status_code == 404
    assert "/find?model=qwen-3-14b&amp;device=m1-16gb" in response.get_data(as_text=True)


def test_a_custom_model_needs_no_name_of_the_catalog(client: FlaskClient) -> None:
    own = {"model.name": "Mine", "model.nominal_params": "20", "model.context": "9000"}
    response = client.get("/find", query_string={"device": "m1-16gb", **own})
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/can-run/own-on-m1-16gb?model.name=Mine")


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'])
def test_input_is_escaped(client: FlaskClient, name: str) -> None:
    query = {"device.name": name, "device.vendor": "AMD", "device.memory": "24", "device.bandwidth": "900"}
    for path in ("/can-run/qwen-3-14b-on-own", "/embed/qwen-3-14b-on-own", "/badge/qwen-3-14b-on-own.svg"):
        text = client.get(path, query_string=query).get_data(as_text=True)
        assert name not in text
    assert name not in client.get("/find", query_string={"model": name, "device": "m1"}).get_data(as_text=True)


def test_no_page_holds_a_sentence_in_its_template() -> None:
    for template in (PROJECT / "engine" / "fitcard" / "web" / "pages" / "templates").iterdir():
        bare = re.sub(
            r"\{[{%#].*?[}%#]\}|<style>.*?</style>|<[^>]+>", " ", Path(template).read_text("utf-8"), flags=re.DOTALL
        )
        assert not re.search(r"[A-Za-z]{3,} [A-Za-z]{2,}", bare), template.name
