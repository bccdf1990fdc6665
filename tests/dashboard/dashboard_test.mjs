// A pipeline with its simulator, and the page as a person sees it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";

const FLOWRUN = process.env.FLOWRUN ?? "build/release/flowrun";
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const DEADLINE = 60_000; // milliseconds
const OUT = "out/dashboard";

const running = [];
const complaints = [];
let browser, page, simulator, pipeline, address, folder;

// Starts flowrun; gives the process and what it has said so far.
function start(...words) {
  const process_ = spawn(FLOWRUN, words, { env: { ...process.env, XDG_RUNTIME_DIR: folder }, stdio: ["ignore", "ignore", "pipe"] });
  process_.said = "";
  process_.stderr.on("data", (piece) => { process_.said += piece; });
  running.push(process_);
  return process_;
}

async function until(condition, what) {
  const end = Date.now() + DEADLINE;
  while (Date.now() < end) {
    const value = await condition();
    if (value) return value;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`not within ${DEADLINE} ms: ${what}`);
}

const cells = (table) => page.$$eval(`article[data-table="${table}"] tbody tr`, (rows) =>
  rows.map((row) => [...row.children].map((cell) => cell.textContent)));
const epoch_of = (table) => page.$eval(`article[data-table="${table}"]`, (article) => Number(article.dataset.epoch || -1)).catch(() => -1);

async function ask(statement) {
  const response = await fetch(`${address}/v1/sql`, { method: "POST", headers: { "Content-Type": "text/plain" }, body: statement });
  return (await response.json()).rows;
}

before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "flowrun-dashboard-"));
  mkdirSync(OUT, { recursive: true });
  simulator = start("simulate", "watches", "--port", "0");
  const port = await until(() => simulator.said.match(/:(\d+),/)?.[1], "the simulator's port");
  pipeline = start("run", "pipelines/iot.yaml", "--set", `watches.port=${port}`, "--listen", "127.0.0.1:0");
  address = await until(() => pipeline.said.match(/http:\/\/[\d.]+:\d+/)?.[0], "the address");
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.on("console", (message) => { if (message.type() === "error") complaints.push(message.text()); });
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.goto(address);
});

after(async () => {
  await browser?.close();
  for (const process_ of running) process_.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

test("two epochs pass, told by the stream of events", async () => {
  const first = await until(async () => (await epoch_of("event_per_window")) >= 0 && (await epoch_of("event_per_window")) + 1, "an epoch");
  await until(async () => (await epoch_of("event_per_window")) >= first + 1, "two more epochs");
  assert.equal(await page.textContent("#phase"), "running");
  assert.match(await page.textContent("#totals"), /input\s*[\d.,K]+\/s/);
});

test("the graph is drawn with every node and a rate on every edge", async () => {
  const graph = await (await fetch(`${address}/v1/graph`)).json();
  assert.equal(await page.locator("#graph .node").count(), graph.nodes.length);
  assert.equal(await page.locator("#graph .edge").count(), graph.edges.length);
  assert.match(await page.locator("#graph .rate").first().textContent(), /\/s$/);
  assert.equal(await page.locator("#nodes tbody tr").count(), graph.nodes.length);
});

test("a table of windows has its chart, with words for who does not see it", async () => {
  const chart = page.locator('article[data-table="event_per_window"] svg[role="img"]');
  await chart.waitFor({ timeout: DEADLINE });
  assert.match(await chart.getAttribute("aria-label"), /count over time/);
});

test("screenshots at two widths, light and dark; nothing sticks out", async () => {
  for (const width of [1280, 360]) {
    for (const colorScheme of ["light", "dark"]) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme });
      await page.waitForTimeout(300); // for the picture's sake alone
      await page.screenshot({ path: `${OUT}/${width}-${colorScheme}.png`, fullPage: true });
      assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= width, `at ${width}`);
    }
  }
  await page.setViewportSize({ width: 1280, height: 900 });
});

test("numbers are those that SQL gives", async () => {
  simulator.kill("SIGSTOP");
  await until(async () => {
    const seen = await cells("event_per_window");
    const asked = await ask("select concat('{', window.start, ', ', window.end, '}'), cast(count as string) from event_per_window");
    return seen.length > 0 && JSON.stringify(seen) === JSON.stringify(asked.slice(0, 20));
  }, "the page's numbers are SQL's");
  simulator.kill("SIGCONT");
});

test("a question is answered, a wrong one is pointed at", async () => {
  await page.fill("#sql", "select count(*) as windows from event_per_window");
  await page.press("#sql", "Control+Enter");
  await page.locator("#answer td").waitFor({ timeout: DEADLINE });
  assert.ok(Number(await page.locator("#answer td").textContent()) > 0);
  await page.fill("#sql", "select nosuch from event_per_window");
  await page.click("#sql-form button");
  await page.locator("#answer .error").waitFor({ timeout: DEADLINE });
  const error = await page.locator("#answer .error").textContent();
  assert.match(error, /no column `nosuch`/);
  assert.match(error, /\n {9}\^/);
  complaints.splice(0, complaints.length, ...complaints.filter((text) => !text.includes("400")));
});

test("text from data is text, never markup", async () => {
  await page.fill("#sql", "select '<img src=x onerror=alert(1)>' as x");
  await page.press("#sql", "Control+Enter");
  await until(async () => (await page.locator("#answer td").textContent().catch(() => "")).includes("<img"), "the text");
  assert.equal(await page.locator("#answer img").count(), 0);
});

test("the keyboard reaches everything, and everything has a name", async () => {
  await page.goto(address);
  await page.locator("#graph .node").first().waitFor({ timeout: DEADLINE });
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  const nameless = await page.$$eval("button, textarea, input, [role=region], [role=img]", (found) => found.filter((one) =>
    !(one.getAttribute("aria-label") || one.labels?.length || one.textContent.trim())).map((one) => one.outerHTML));
  assert.deepEqual(nameless, []);
  const seen = new Set();
  for (let i = 0; i < 30; i += 1) {
    seen.add(await page.evaluate(() => document.activeElement.id || document.activeElement.tagName));
    await page.keyboard.press("Tab");
  }
  for (const id of ["graph", "sql"]) assert.ok(seen.has(id), `${id} is reached`);
});

test("a simulator that dies is told in plain words", async () => {
  simulator.kill("SIGKILL");
  await until(async () => /watches gets no data: its peer does not answer/.test(await page.textContent("#notices")), "the notice");
  assert.ok((await page.locator("#graph .node.failing").count()) >= 1);
});

test("a run that ends is told, and the page kept the rules of its policy", async () => {
  pipeline.kill("SIGTERM");
  await until(async () => /has ended|does not answer/.test(await page.textContent("#notices")), "the notice");
  const own = complaints.filter((text) => !/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY_RESPONSE|network error/i.test(text));
  assert.deepEqual(own, []);
});
