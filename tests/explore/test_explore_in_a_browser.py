"""The what-if page in a real browser, served as a user serves it."""

from __future__ import annotations

import shutil
import signal
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from serving import served

pytest.importorskip("marimo", reason="the extra sendcap[explore] is not installed")
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [pytest.mark.browser, pytest.mark.extra("explore")]
PATIENCE_MS = 60_000


@contextmanager
def browsing(width=1200, height=800):
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--host-resolver-rules=MAP evil.example 127.0.0.1",
            ],
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
        # Neither the address bar nor the history has the token.
        assert page.url.startswith(url.partition("?")[0])
        assert "token" not in page.url
        assert page.evaluate("history.length") == 2
        # It fits a phone.
        assert page.evaluate("document.documentElement.scrollWidth") <= 390

        # A screen reader is told the value, and not its place among the steps.
        slider = page.get_by_role("slider", name="Messages, millions")
        slider.focus()
        assert slider.get_attribute("aria-valuetext") == "1"
        page.keyboard.press("End")
        page.get_by_text("in the scenario 1h 24m").wait_for()
        assert slider.get_attribute("aria-valuetext") == "10"
        assert tile(page, "99 % accepted") == "13h 59m"

        page.get_by_text("with EFS", exact=True).first.click()
        # In the picture, text is a comment beside the shapes of its letters.
        while "without EFS" in page.locator(".sc-chart").inner_html():
            page.wait_for_timeout(100)
        with page.expect_download() as download:
            page.get_by_text("This scenario as a file").click()
        assert "messages = 10000000" in download.value.path().read_text()

        here = url.partition("?")[0]
        elsewhere = [its for its in asked if not its.startswith((here, "data:", "blob:"))]
        assert elsewhere == []
        assert wrong == []

        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert process.stderr.read() == "error: interrupted\n"


HOSTILE = """<!doctype html><title>hostile</title><a href="{url}">a link</a>
<iframe src="{page}"></iframe><script src="{page}"></script><img id="image" src="{page}favicon.ico">
<script>
const tried = (attempt) => attempt().catch(() => "refused");
const read = (mode) => fetch("{page}health", {{ mode, credentials: "include" }}).then((answer) =>
  answer.type === "opaque" ? "opaque" : answer.text());
const driven = () => fetch("{page}api/kernel/set_ui_element_value",
  {{ method: "POST", credentials: "include", body: "{{}}" }}).then((answer) => answer.text());
const socket = () => new Promise((resolve, reject) => {{
  const opened = new WebSocket("{page}ws?session_id=s_evil".replace("http", "ws"));
  opened.onopen = () => resolve("open");
  opened.onerror = reject;
}});
const image = () => document.getElementById("image").decode().then(() => "seen");
window.attacks = () => Promise.all(
  [() => read("cors"), () => read("no-cors"), driven, socket, image].map(tried));
</script>
"""


@contextmanager
def foreign_site(text):
    """A web server on this machine with one page, at any host."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(text[0].encode())

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_pages_of_others_can_neither_read_nor_drive_it():
    text = [""]
    with served("quickstart") as (_, url), foreign_site(text) as port, browsing() as page:
        page.goto(url)
        page.wait_for_selector(".sc-tile")
        # The attacker even knows the secret path, and the browser has the cookie.
        text[0] = HOSTILE.format(url=url, page=page.url)

        for host in ("evil.example", "localhost", "127.0.0.1"):
            page.goto(f"http://{host}:{port}/")

            assert page.evaluate("attacks()") == ["refused"] * 5
            framed = page.frames[1]
            assert framed.url.startswith("chrome-error:")

        # A foreign name for this machine does not get the page, even with the token.
        assert page.goto(url.replace("127.0.0.1", "evil.example")).status == 403
        # A link with the token works from anywhere.
        page.goto(f"http://evil.example:{port}/")
        page.get_by_text("a link").click()
        page.wait_for_selector(".sc-tile")
