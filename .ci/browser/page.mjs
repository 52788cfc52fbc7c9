// A person with a real browser on the preview page. What is not as it must be ends this with an error.
//
//   node page.mjs tour ADDRESS CAMPAIGN_FOLDER ARTIFACTS     the page of the staff newsletter, from end to end
//   node page.mjs hostile ADDRESS CAMPAIGN_FOLDER ARTIFACTS  a campaign whose list and template attack the page

import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [, , what, address, folder, artifacts] = process.argv;
const axeSource = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

await mkdir(artifacts, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.POSTROOM_TEST_CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
  ],
});

// A page on which everything that must not happen is written down.
async function open(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  const wrong = [];
  const own = new URL(address).origin;
  page.on("dialog", (dialog) => {
    wrong.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("pageerror", (error) => wrong.push(`error: ${error.message}`));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${own}/`) && !url.startsWith("data:")) wrong.push(`request: ${url}`);
  });
  page.on("popup", (popup) => wrong.push(`popup: ${popup.url()}`));
  await page.goto(address);
  await page.locator("#subject").waitFor();
  await page.getByRole("status").filter({ hasText: "Checked" }).waitFor();
  return { page, wrong };
}

const shot = (page, name) => page.screenshot({ path: join(artifacts, `${name}.png`) });
const frame = (page) => page.frameLocator("#stage iframe:not(.coming)");

async function accessible(page, name) {
  await page.evaluate(axeSource);
  // The mail's own frame has no scripts, and is the campaign's to mend.
  const found = await page.evaluate(() => window.axe.run(document, { iframes: false, exclude: ["iframe"] }));
  const violations = found.violations.map(({ id, help, nodes }) => ({ id, help, where: nodes.map((node) => `${node.target}: ${node.failureSummary}`) }));
  assert.deepEqual(violations, [], `${name}: ${JSON.stringify(violations, null, 2)}`);
}

async function tour() {
  const { page, wrong } = await open({ colorScheme: "light" });
  await frame(page).getByRole("heading", { level: 1 }).waitFor();
  assert.equal(await page.title(), "Preview of staff-news-2026-12");
  assert.equal(await page.locator("#list-count").textContent(), "1,203");
  assert.match(await page.locator("#summary").textContent(), /310 messages/);
  const logo = await frame(page).locator("img[alt=Contoso]").evaluate((image) => image.naturalWidth > 0).catch(() => null);
  assert.notEqual(logo, false, "the inline picture is not shown");
  await shot(page, "light-1440");
  await accessible(page, "light");

  // Next by key, and back.
  const first = await page.locator("#place").textContent();
  await page.keyboard.press("j");
  await page.locator("#place").filter({ hasText: "Row 2 of" }).waitFor();
  await page.keyboard.press("ArrowLeft");
  await page.locator("#place").filter({ hasText: first }).waitFor();

  // Search: every word counts, in any cell.
  await page.keyboard.press("/");
  await page.keyboard.type("liam toronto");
  await page.locator("#found").filter({ hasText: /\d+ rows?/ }).waitFor();
  await page.keyboard.press("Enter");
  await page.locator("#fields").filter({ hasText: /liam/i }).waitFor();
  await page.keyboard.press("/");
  await page.keyboard.press("Escape");
  await page.locator("#list-title").filter({ hasText: "Everyone" }).waitFor();

  // The views by their keys.
  await page.keyboard.press("2");
  await page.locator("#text").filter({ hasText: "Contoso" }).waitFor();
  await shot(page, "text");
  await page.keyboard.press("3");
  await page.locator("#source").filter({ hasText: "MIME-Version" }).waitFor();
  const fold = page.locator("#source button").first();
  assert.match(await fold.textContent(), /lines of base64/);
  await fold.click();
  await shot(page, "source");
  await page.keyboard.press("4");
  await page.locator("#headers").filter({ hasText: "X-Campaign" }).waitFor();
  await shot(page, "headers");
  await accessible(page, "headers");
  await page.keyboard.press("1");

  // Phone, dark.
  await page.keyboard.press("p");
  const width = await page.locator("#stage iframe").evaluate((node) => node.clientWidth);
  assert.equal(width, 375);
  await page.keyboard.press("d");
  await frame(page).locator("body").waitFor();
  await shot(page, "phone-dark-mail");
  await page.keyboard.press("p");
  await page.keyboard.press("d");

  // The keys.
  await page.keyboard.press("?");
  await page.getByRole("dialog").waitFor();
  await accessible(page, "keys");
  await page.keyboard.press("Escape");

  // Saved files show up in place; a broken one is told of and can be mended.
  const before = await page.locator("#place").textContent();
  await page.keyboard.press("j");
  await page.locator("#place").filter({ hasNotText: before }).waitFor();
  await page.keyboard.press("2");
  const place = await page.locator("#place").textContent();
  const template = join(folder, "newsletter.txt.hbs");
  const text = await readFile(template, "utf8");
  await writeFile(template, `SAVED JUST NOW\n${text}`);
  await page.locator("#text").filter({ hasText: "SAVED JUST NOW" }).waitFor();
  assert.equal(await page.locator("#place").textContent(), place);
  assert.equal(await page.locator("#tab-text").getAttribute("aria-selected"), "true");
  await writeFile(template, "{{#if broken}}");
  await page.locator(".finding.error").first().waitFor();
  await shot(page, "broken");
  await accessible(page, "broken");
  await writeFile(template, text);
  await page.locator("#text").filter({ hasText: "Contoso" }).waitFor();
  await page.locator(".finding.error").first().waitFor({ state: "detached" });
  await page.keyboard.press("1");

  // In place, at what was changed, far below.
  const letter = join(folder, "newsletter.html.hbs");
  const html = await readFile(letter, "utf8");
  await page.setViewportSize({ width: 1440, height: 640 });
  await writeFile(letter, html.replace(">Dates</h2>", ">Dates to keep</h2>"));
  const changed = frame(page).getByRole("heading", { name: "Dates to keep" });
  await changed.waitFor();
  const box = await changed.boundingBox();
  assert.ok(box.y > 0 && box.y < 640, `the change is not in sight: ${JSON.stringify(box)}`);
  await writeFile(letter, html);
  await changed.waitFor({ state: "detached" });
  await page.locator("#summary").filter({ hasText: "310 messages" }).waitFor();
  assert.deepEqual(wrong, []);
  await page.context().close();

  for (const [name, viewport, colorScheme] of [
    ["dark-1440", { width: 1440, height: 900 }, "dark"],
    ["light-1024", { width: 1024, height: 700 }, "light"],
    ["dark-1024", { width: 1024, height: 700 }, "dark"],
    ["light-390", { width: 390, height: 800 }, "light"],
    ["dark-390", { width: 390, height: 800 }, "dark"],
  ]) {
    const { page: other, wrong: ofOther } = await openAt(viewport, colorScheme);
    await shot(other, name);
    await accessible(other, name);
    if (viewport.width < 720) {
      await other.locator(".line").nth(1).click();
      await other.locator("#subject").waitFor();
      await frame(other).getByRole("heading", { level: 1 }).waitFor();
      await shot(other, `${name}-mail`);
      await accessible(other, `${name}-mail`);
    }
    assert.deepEqual(ofOther, []);
    await other.context().close();
  }
}

async function openAt(viewport, colorScheme) {
  const context = await browser.newContext({ viewport, colorScheme });
  const page = await context.newPage();
  const wrong = [];
  page.on("pageerror", (error) => wrong.push(error.message));
  await page.goto(address);
  await page.locator(".line").first().waitFor();
  await page.locator("#status").filter({ hasText: "Checked" }).waitFor({ state: "attached" });
  if (viewport.width >= 720) await frame(page).getByRole("heading", { level: 1 }).waitFor();
  return { page, wrong };
}

async function hostile() {
  const { page, wrong } = await open();
  await frame(page).locator("#there").waitFor();
  // Whatever would have run has had its chance when a click and a later answer are through.
  await frame(page).locator("a").click({ force: true });
  await frame(page).locator("#there").waitFor();
  // Keys go to the mail's frame as long as the last click was in it.
  await page.locator("#subject").click();
  await page.keyboard.press("j");
  await page.locator("#place").filter({ hasText: "Row 2 of" }).waitFor();
  await page.keyboard.press("3");
  await page.locator("#source").filter({ hasText: "MIME-Version" }).waitFor();
  await page.keyboard.press("1");
  await frame(page).locator("#there").waitFor();
  assert.equal(await page.title(), "Preview of hostile");
  assert.equal(await page.locator(".line img, .line script, #fields img, #cells img").count(), 0);
  assert.ok((await page.locator("#list").textContent()).includes("<img"), "the cell is shown as text");
  assert.match(await page.locator("#remark").textContent(), /from elsewhere are not loaded/);
  await shot(page, "hostile");
  assert.deepEqual(wrong, []);
}

try {
  await { tour, hostile }[what]();
} finally {
  await browser.close();
}
