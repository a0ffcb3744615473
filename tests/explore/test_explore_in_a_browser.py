"""The what-if page in a real browser, served as a user serves it."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

pytest.importorskip("marimo", reason="the extra sendcap[explore] is not installed")
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [pytest.mark.browser, pytest.mark.extra("explore")]
PATIENCE_MS = 60_000


@contextmanager
def served(*arguments):
    process = subprocess.Popen(
        [sys.executable, "-m", "sendcap", "explore", *arguments, "--no-open"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline()
        yield process, re.search(r"http://\S+", line).group()
    finally:
        process.kill()
        process.communicate()


@contextmanager
def browsing(width, height):
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(PATIENCE_MS)
        yield page
        browser.close()


def tile(page, label):
    return page.locator(".sc-tile", has_text=label).locator("dd").inner_text().split("\n")[0]


def test_sliders_move_the_numbers_and_nothing_leaves_the_machine():
    with served("quickstart") as (process, url), browsing(390, 844) as page:
        asked, wrong = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda told: wrong.append(told.text) if told.type == "error" else None)
        page.goto(url)
        page.wait_for_selector(".sc-tile")
        assert tile(page, "99 % accepted") == "1h 24m"
        # It fits a phone.
        assert page.evaluate("document.documentElement.scrollWidth") <= 390

        # A screen reader is told the value, and not its place among the steps.
        slider = page.get_by_role("slider", name="Messages, millions")
        slider.focus()
        assert slider.get_attribute("aria-valuetext") == "1"
        page.keyboard.press("End")
        page.wait_for_function("document.body.innerText.includes('in the scenario 1h 24m')")
        assert slider.get_attribute("aria-valuetext") == "10"
        page.wait_for_function("document.body.innerText.includes('in the scenario 1h 24m')")
        assert tile(page, "99 % accepted") == "13h 59m"

        page.get_by_text("with EFS", exact=True).first.click()
        # In the picture, text is a comment beside the shapes of its letters.
        page.wait_for_function(
            "!document.querySelector('.sc-chart').innerHTML.includes('without EFS')"
        )
        with page.expect_download() as download:
            page.get_by_text("This scenario as a file").click()
        assert "messages = 10000000" in download.value.path().read_text()

        elsewhere = [its for its in asked if not its.startswith((url, "data:", "blob:"))]
        assert elsewhere == []
        assert wrong == []

        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert process.stderr.read() == "error: interrupted\n"
