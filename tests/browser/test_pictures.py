"""Walk through the picture of a workflow in a browser, by mouse and by keyboard, on a desktop and on a phone."""

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from .test_deciding import Browser, Coalition, browser, coalition, pytestmark

__all__ = ["browser", "coalition", "pytestmark"]

OVERLAPS = """
const boxes = [...document.querySelectorAll(".diagram .arrow:has(> text), .diagram .state > .box")]
  .filter((one) => !one.closest(".is-loop") && !one.closest(".legend"))
  .map((one) => [one.textContent || one.parentNode.textContent, one.getBBox()]);
const found = [];
boxes.forEach(([name, a], n) => boxes.slice(n + 1).forEach(([other, b]) => {
  if (a.x + a.width > b.x && b.x + b.width > a.x && a.y + a.height > b.y + 1 && b.y + b.height > a.y + 1) {
    found.push(name + " | " + other);
  }
}));
return found;
"""
TOO_WIDE = """
return [...document.querySelectorAll(".diagram .state")].filter((one) => {
  const box = one.querySelector(".box").getBBox();
  return [...one.querySelectorAll("text:not(.count-text)")].some((text) => text.getBBox().width > box.width);
}).map((one) => one.textContent);
"""


def test_a_step_in_the_picture_leads_to_where_it_is_done(coalition: Coalition, browser: Browser) -> None:
    reference = coalition.submit_paper()
    browser.sign_in("secretary")
    browser.open(f"/documents/{reference}/way")
    assert "is here now" in browser.find(".diagram .is-here title").get_attribute("textContent")
    link = browser.find(f".diagram a[href$='/{reference}#step-recall']")
    link.send_keys(Keys.ENTER)
    assert browser.find("#step-recall textarea").is_displayed()
    assert browser.driver.current_url.endswith(f"/documents/{reference}#step-recall")


def test_a_state_in_the_picture_leads_to_its_entry_in_the_history(coalition: Coalition, browser: Browser) -> None:
    reference = coalition.submit_paper()
    browser.sign_in("secretary")
    browser.open(f"/documents/{reference}/way")
    state = browser.find(".diagram a[href*='/history'] .is-passed .box")
    ActionChains(browser.driver).scroll_to_element(state).move_to_element(state).click().perform()
    browser.wait_for_text("What happened")
    anchor = browser.driver.current_url.partition("#")[2]
    assert "Member comment" in browser.find(f"#{anchor}").text


def test_words_of_the_pictures_lie_apart_in_every_language(coalition: Coalition, browser: Browser) -> None:
    browser.sign_in("secretary")
    for name in ("joint_statement", "conference_launch"):
        for language in ("ar", "en", "es", "fr", "ru"):
            browser.open(f"/workflows/{name}?hl={language}")
            browser.find(".diagram")
            assert browser.driver.execute_script(OVERLAPS) == [], (name, language)
            assert browser.driver.execute_script(TOO_WIDE) == [], (name, language)


def test_a_phone_scrolls_the_picture_and_not_the_page(coalition: Coalition, browser: Browser) -> None:
    browser.sign_in("secretary")
    metrics = {"width": 360, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    for path in (
        "/workflows/joint_statement",
        "/workflows/joint_statement?by=role",
        "/workflows/joint_statement?hl=ar",
    ):
        browser.open(path)
        browser.find(".diagram")
        assert browser.driver.execute_script("return document.documentElement.scrollWidth") == 360, path
