"""Chromium, as Debian has it, driven by Selenium; tests are skipped where it is not installed."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Page:
    """A report in the browser, as a reader has it."""

    def __init__(self, driver: Chrome, downloads: Path) -> None:
        self.driver, self.downloads = driver, downloads

    def open(self, url: str) -> None:
        self.driver.get("about:blank")  # an address that differs in its hash alone would load nothing
        self.driver.get(url)
        self.wait_for("return document.getElementById('state').textContent.includes(' of ')")
        self.wait_for("return !document.getElementById('state').textContent.startsWith('Loading')")

    def run(self, script: str, *arguments: object):
        return self.driver.execute_script(script, *arguments)

    def wait_for(self, script: str, timeout_s: float = 60):
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            value = self.run(script)
            if value:
                return value
            time.sleep(0.05)
        raise AssertionError(f"{script} did not come true within {timeout_s} s")

    def all(self, selector: str):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.driver.switch_to.active_element.send_keys(key)

    def texts(self, selector: str) -> list[str]:
        # In one go: rows are drawn anew while they are looked at.
        script = "return Array.from(document.querySelectorAll(arguments[0]), each => each.innerText)"
        return [text.strip() for text in self.run(script, selector)]

    def picture_is_there(self) -> None:
        self.wait_for("return [...document.querySelectorAll('.stage img')].some((i) => i.naturalWidth > 0)")

    def errors(self) -> list[str]:
        """What the browser complains of since it was last asked."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def size(self, width_px: int, height_px: int, colours: str = "light") -> None:
        metrics = {"width": width_px, "height": height_px, "deviceScaleFactor": 1, "mobile": width_px < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        features = [{"name": "prefers-color-scheme", "value": colours}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


@contextmanager
def browsing(folder: Path) -> Iterator[Page]:
    """A browser for the time of the block, which keeps what it has and downloads below a folder."""
    programs = shutil.which("chromium"), shutil.which("chromedriver")
    if None in programs:
        pytest.skip("chromium and chromium-driver are not installed")
    options = ChromeOptions()
    options.binary_location = programs[0]
    for flag in (*FLAGS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    downloads = folder / "downloads"
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options, Service(programs[1]))
    try:
        page = Page(driver, downloads)
        page.size(1440, 900)
        yield page
    finally:
        driver.quit()
