import assert from "node:assert/strict";
import type { Page } from "playwright-core";

const PAGE = new URL("../../docs/name_checker/index.html", import.meta.url);
const STUDY = "20250131_ada_kidney_b1";

/** The Chromium of this machine: `CHROMIUM`, or where Debian puts it. */
function findChromium(): string | undefined {
  for (const path of [Deno.env.get("CHROMIUM"), "/usr/bin/chromium"]) {
    try {
      if (path && Deno.statSync(path).isFile) return path;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return undefined;
}

const chromium = findChromium();
const REASON = chromium === undefined ? " [no Chromium here]" : "";

/** Opens the page from its file in a browser with a profile of its own. */
async function withPage(work: (page: Page, problems: string[]) => Promise<void>, dark = false): Promise<void> {
  const playwright = await import("playwright-core");
  const browser = await playwright.chromium.launch({
    executablePath: chromium,
    timeout: 120_000,
    args: [
      ...["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
      ...["--disable-component-update", "--disable-sync"],
    ],
  });
  try {
    const page = await browser.newPage({ colorScheme: dark ? "dark" : "light" });
    page.setDefaultTimeout(120_000);
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("console", (message) => problems.push(message.text()));
    page.on("request", (request) => {
      if (request.url() !== PAGE.href) problems.push(`asks for ${request.url()}`);
    });
    await page.goto(PAGE.href);
    await work(page, problems);
    assert.deepEqual(problems, []);
  } finally {
    await browser.close();
  }
}

const test = (name: string, fn: () => Promise<void>) =>
  // The driver keeps its own timers and pipes until the process ends.
  Deno.test({
    name: `name checker: ${name}${REASON}`,
    ignore: chromium === undefined,
    sanitizeOps: false,
    sanitizeResources: false,
    fn,
  });

const rows = (page: Page, list: string) =>
  page.locator(`#${list} li`).evaluateAll((items) =>
    items.map((item) => `${item.className} ${item.querySelector(".label")?.textContent}`)
  );

test("tells field by field as one types", () =>
  withPage(async (page) => {
    const study = page.getByRole("textbox", { name: "Study name" });
    await study.pressSequentially("20250231_ada l");
    assert.deepEqual(await rows(page, "study-fields"), [
      "fail date",
      "fail user",
      "missing project",
      "missing custom name",
      "fail whole name",
    ]);
    assert.match(await page.locator("#study-fields").innerText(), /month 2025-02 has no day 31/);
    assert.match(await page.locator("#study-fields").innerText(), /contains a space/);
    await study.fill(STUDY);
    assert.deepEqual(await rows(page, "study-fields"), [
      "pass date",
      "pass user",
      "pass project",
      "pass custom name",
      "pass whole name",
    ]);
    assert.deepEqual(await rows(page, "experiment-fields"), []);
    await page.getByRole("textbox", { name: "Experiment name" }).fill(`${STUDY}_a_b`);
    assert.deepEqual(await rows(page, "experiment-fields"), ["pass study", "fail suffix", "pass whole name"]);
    await study.fill("");
    assert.deepEqual(await rows(page, "study-fields"), []);
  }));

test("shows what is typed as text, whatever it is", () =>
  withPage(async (page) => {
    const name = "20250131_<img src=x onerror=alert(1)>_$&_b1";
    await page.getByRole("textbox", { name: "Study name" }).fill(name);
    assert.equal(await page.locator("#study-fields img").count(), 0);
    assert.equal(await page.locator("#study-fields li .text").nth(1).innerText(), "<img src=x onerror=alert(1)>");
  }));

test("can be used from the keyboard, and is read out", () =>
  withPage(async (page) => {
    const focused = () => page.evaluate("document.activeElement.id || document.activeElement.localName");
    assert.equal(await focused(), "study");
    await page.keyboard.type(STUDY);
    await page.keyboard.press("Tab");
    assert.equal(await focused(), "experiment");
    await page.keyboard.type(`${STUDY}_`);
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Shift+Tab");
    assert.equal(await focused(), "a", "nothing but the fields and the link takes the focus");
    const [study, experiment] = [page.locator("#study"), page.locator("#experiment")];
    assert.equal(await study.getAttribute("aria-invalid"), null);
    assert.equal(await experiment.getAttribute("aria-invalid"), "true");
    for (const field of ["study", "experiment"]) {
      const status = page.locator(`#${field}-status`);
      assert.equal(await status.getAttribute("aria-live"), "polite");
      const described = (await page.locator(`#${field}`).getAttribute("aria-describedby"))?.split(" ") ?? [];
      assert.deepEqual(described, [`${field}-hint`, `${field}-status`]);
      for (const id of described) assert.equal(await page.locator(`#${id}`).count(), 1);
    }
    assert.equal(await page.locator("#study-status").innerText(), "Study name passes.");
    assert.equal(await page.locator("#experiment-status").innerText(), "Experiment name fails; wrong: suffix.");
    assert.match(await page.locator("main").ariaSnapshot(), /textbox "Study name"/);
  }));

/** Contrast of each text against the ground, by the formula of WCAG 2. */
const CONTRASTS = `(() => {
  const light = (color) => {
    const [r, g, b] = color.match(/[\\d.]+/g).map(Number).map((part) => part / 255)
      .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = light(getComputedStyle(document.body).backgroundColor);
  return [...document.querySelectorAll("main *")].filter((one) => one.innerText?.trim()).map((one) => {
    const [a, b] = [light(getComputedStyle(one).color), ground].sort((a, b) => b - a);
    return (a + 0.05) / (b + 0.05);
  });
})()`;

for (const dark of [false, true]) {
  test(`has contrast enough to be read in ${dark ? "dark" : "light"} colours, on a narrow screen, too`, () =>
    withPage(async (page) => {
      await page.getByRole("textbox", { name: "Study name" }).fill("20250231_ada l");
      await page.getByRole("textbox", { name: "Experiment name" }).fill("20250231_ada l_r1");
      const contrasts = await page.evaluate(CONTRASTS) as number[];
      assert.ok(contrasts.length > 20);
      for (const contrast of contrasts) assert.ok(contrast >= 4.5, String(contrast));
      await page.setViewportSize({ width: 320, height: 640 });
      assert.equal(await page.evaluate("document.documentElement.scrollWidth <= 320"), true, "no scrolling sideways");
      const folder = Deno.env.get("LABFERRY_SCREENSHOTS");
      if (folder) await page.screenshot({ path: `${folder}/narrow-${dark ? "dark" : "light"}.png`, fullPage: true });
      await page.setViewportSize({ width: 900, height: 800 });
      if (folder) await page.screenshot({ path: `${folder}/wide-${dark ? "dark" : "light"}.png`, fullPage: true });
    }, dark));
}
