# SPDX-License-Identifier: Apache-2.0
"""`make site` in a real browser, as wide as a phone and as a desk: no page is wider than the window, each picture is there, the
menu opens and closes, and each link leads to a page and a place in it."""

import base64
import functools
import http.server
import json
import re
import shutil
import subprocess
import threading

import pytest

from conftest import TOP
from guard import PLAIN, within

pytestmark = [pytest.mark.skipif(not PLAIN, reason="the pages are the same in every build"),
              pytest.mark.skipif(not shutil.which("mkdocs") or not shutil.which("chromium"), reason="needs mkdocs and chromium")]
WIDTHS = (360, 1280)
# Each page in a frame of each width; once all are there, it writes down what does not fit or is not there.
CHECK = """<!DOCTYPE html><meta charset="utf-8"><body>FRAMES<script>
const found = [], looked = [], opened = [];
// Below 769 pixels the menu is beside the page until the button is clicked, and again after a second click.
function click(inside, name) {
    const button = inside.querySelector("[data-toggle=wy-nav-top]"), menu = inside.querySelector(".wy-nav-side");
    const link = menu.querySelector("a.reference"), isShown = () => link.getBoundingClientRect().left >= 0;
    const states = [isShown()];
    for (let clicks = 0; clicks < 2; clicks++) {
        button.click();
        states.push(isShown());
    }
    if (states.join() !== "false,true,false")
        found.push(`${name}: the menu is shown before, after one and after two clicks: ${states}`);
    opened.push(name);
}
// The theme begins to listen in a turn of its own, which may come after the load.
async function begun(frame) {
    for (let tries = 0; tries < 100 && !frame.contentWindow.jQuery?._data(frame.contentDocument, "events")?.click; tries++)
        await new Promise(done => setTimeout(done, 50));
}
function look(frame) {
    const inside = frame.contentDocument, root = inside.documentElement, width = frame.contentWindow.innerWidth;
    const name = `${frame.getAttribute("src")} at ${width}`;
    const wide = [...inside.querySelectorAll("body *")].filter(
        one => one.getBoundingClientRect().right > width + 1 && !one.closest("table, pre, .wy-nav-side"));
    if (root.scrollWidth > width)
        found.push(`${name}: ${root.scrollWidth} wide, ${wide.slice(-2).map(one => one.tagName + " " + one.textContent.slice(0, 60))}`);
    for (const picture of inside.images)
        if (!picture.complete || picture.naturalWidth === 0)
            found.push(`${name}: no picture ${picture.src}`);
    if (!inside.querySelector("[data-toggle=wy-nav-top]") || !frame.contentWindow.jQuery || !frame.contentWindow.SphinxRtdTheme)
        found.push(`${name}: the menu of a phone has no script`);
    if (width < 769)
        click(inside, name);
    looked.push(`${name}: ${inside.title}`);
}
window.onload = async () => {
    for (const frame of document.querySelectorAll("iframe")) {
        await begun(frame);
        look(frame);
    }
    document.body.innerHTML = `<pre id="result">${btoa(unescape(encodeURIComponent(JSON.stringify({found, looked, opened}))))}</pre>`;
};
</script></body>"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """(directory, pages) of the site that `make site` builds."""
    place = tmp_path_factory.mktemp("site")
    subprocess.run(["make", "-s", "-C", TOP, "site", f"SITE={place}"], check=True, capture_output=True, stdin=subprocess.DEVNULL)
    html = place / "html"
    return html, sorted(str(page.relative_to(html)) for page in html.rglob("*.html") if page.name not in ("404.html", "search.html"))


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture
def address(site):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=site[0]))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_each_page_fits_a_phone_and_a_desk(site, address, tmp_path):
    html, pages = site
    (html / "look.html").write_text(CHECK.replace("FRAMES", "".join(
        f'<iframe src="{page}" style="width: {width}px; height: 800px; border: 0"></iframe>' for page in pages for width in WIDTHS)))
    shown = subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
                            f"--user-data-dir={tmp_path}", "--window-size=1400,900", "--virtual-time-budget=20000", "--dump-dom", f"{address}/look.html"],
                           capture_output=True, text=True, timeout=within(120), check=True, stdin=subprocess.DEVNULL).stdout
    result = json.loads(base64.b64decode(re.search(r'<pre id="result">(.*?)</pre>', shown)[1]))
    assert len(result["looked"]) == len(pages) * len(WIDTHS) > 40
    assert all(re.search(rf" at ({'|'.join(map(str, WIDTHS))}): .", line) for line in result["looked"]), result["looked"]
    assert result["found"] == [] and len(result["opened"]) == len(pages)


def test_each_link_leads_to_a_place(site):
    html, pages = site
    dead, count = [], 0
    for page in pages:
        for target in re.findall(r'\b(?:href|src)="([^"]*)"', (html / page).read_text()):
            if re.match(r"[a-z]+:|//", target):
                continue
            count += 1
            path, _, anchor = target.partition("#")
            file = (html / page).parent / path if path else html / page
            if not file.exists() or anchor and f'id="{anchor}"' not in file.read_text():
                dead.append(f"{page}: {target}")
    assert count > 500 and dead == []
