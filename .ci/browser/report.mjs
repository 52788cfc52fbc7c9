// A campaign's report in a real browser, as it is handed on: a file, at a desk and on a telephone, light and dark,
// and printed. What is not as it must be ends this with an error.
//
//   node report.mjs FILE ARTIFACTS NAME

import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [, , file, artifacts, name] = process.argv;
const axeSource = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const address = pathToFileURL(resolve(file)).href;

await mkdir(artifacts, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.POSTROOM_TEST_CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
  ],
});

async function look(viewport, colorScheme) {
  // Axe is put into the page from outside; the page itself allows no script.
  const context = await browser.newContext({ viewport, colorScheme, bypassCSP: true });
  const page = await context.newPage();
  const wrong = [];
  page.on("dialog", (dialog) => {
    wrong.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("console", (message) => wrong.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => wrong.push(`error: ${error.message}`));
  page.on("request", (request) => {
    if (request.url() !== address) wrong.push(`request: ${request.url()}`);
  });
  await page.goto(address);
  await page.getByRole("heading", { level: 1 }).waitFor();
  const shot = `${name}-${colorScheme}-${viewport.width}`;
  await page.screenshot({ path: join(artifacts, `${shot}.png`), fullPage: true });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(wide, 0, `${shot}: the page can be moved sideways`);
  assert.equal(await page.locator("script, iframe, object, img, link").count(), 0);
  for (const details of await page.locator("summary").all()) await details.click();
  await page.evaluate(axeSource);
  const found = await page.evaluate(() => window.axe.run(document));
  const violations = found.violations.map(({ id, help, nodes }) => ({ id, help, where: nodes.map((node) => `${node.target}: ${node.failureSummary}`) }));
  assert.deepEqual(violations, [], `${shot}: ${JSON.stringify(violations, null, 2)}`);
  assert.deepEqual(wrong, []);
  await context.close();
}

async function print() {
  const context = await browser.newContext({ colorScheme: "dark" });
  const page = await context.newPage();
  await page.goto(address);
  await page.pdf({ path: join(artifacts, `${name}.pdf`), preferCSSPageSize: true, printBackground: true });
  await page.emulateMedia({ media: "print" });
  const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.equal(ground, "rgb(255, 255, 255)", "it is printed dark on white");
  await context.close();
}

try {
  for (const width of [1280, 390]) {
    for (const scheme of ["light", "dark"]) await look({ width, height: 900 }, scheme);
  }
  await print();
} finally {
  await browser.close();
}
