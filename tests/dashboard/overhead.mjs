// What an open dashboard costs: the share of the process's CPU time that goes to its threads named `serve`, while a page
// shows 20 live tables and the pipeline takes rows as fast as it can. CPU time, so that what else the machine does (the
// browser above all) does not count.
//
//   tests/dashboard/run once, then: FLOWRUN=build/release/flowrun node tests/dashboard/overhead.mjs [SECONDS]
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { chromium } from "playwright-core";

const FLOWRUN = process.env.FLOWRUN ?? "build/release/flowrun";
const SECONDS = Number(process.argv[2] ?? 20);
const TABLES = 20;
const TICKS = 100; // a second, of /proc

const folder = mkdtempSync(path.join(tmpdir(), "flowrun-overhead-"));
const file = path.join(folder, "many.yaml");
const groups = Array.from({ length: TABLES }, (_, i) =>
  `  by_${i}: { from: keyed, group_by: [k${i % 4}], agg: { rows: "count(*)", least: "min(value)" } }\n` +
  `  table_${i}: { from: by_${i}, sink: memory, table: table_${i}, mode: complete }\n`);
writeFileSync(file, `name: many
trigger: 1 second
nodes:
  numbers: { source: generate, rows_per_second: 0 }
  keyed: { from: numbers, with_columns: { k0: "value % 10", k1: "value % 100", k2: "value % 300", k3: "value % 7" } }
${groups.join("")}`);

const wait = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

// Seconds of all threads, and of those that serve.
function cpu_of(pid) {
  let all = 0;
  let serving = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const [head, rest] = readFileSync(`/proc/${pid}/task/${task}/stat`, "utf8").split(") ");
    const fields = rest.split(" ");
    const seconds = (Number(fields[11]) + Number(fields[12])) / TICKS;
    all += seconds;
    if (head.endsWith("(serve")) serving += seconds;
  }
  return { all, serving };
}

async function rows_of(address) {
  const text = await (await fetch(`${address}/metrics`)).text();
  return Number(text.match(/flowrun_source_rows_total\{[^}]*\} (\S+)/)?.[1] ?? 0);
}

async function measure(browser) {
  const run = spawn(FLOWRUN, ["run", file, "--listen", "127.0.0.1:0"], { env: { ...process.env, XDG_RUNTIME_DIR: folder }, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  run.stderr.on("data", (piece) => { said += piece; });
  while (!said.match(/http:\/\/\S+/)) await wait(0.05);
  const address = said.match(/http:\/\/[\d.:]+/)[0];
  await wait(3);
  let page;
  if (browser) {
    page = await browser.newPage({ viewport: { width: 1280, height: 12000 } });
    await page.goto(address);
    await page.locator(`article[data-table="table_${TABLES - 1}"] td`).first().waitFor({ timeout: 60_000 });
  }
  const [before, rows] = [cpu_of(run.pid), await rows_of(address)];
  await wait(SECONDS);
  const after = cpu_of(run.pid);
  const share = (after.serving - before.serving) / (after.all - before.all);
  const rate = ((await rows_of(address)) - rows) / SECONDS;
  await page?.close();
  run.kill("SIGKILL");
  return { share, rate };
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
for (const [what, with_page] of [["without a page", null], ["with the page open", browser]]) {
  const { share, rate } = await measure(with_page);
  console.log(`${what}: serving takes ${(share * 100).toFixed(2)} % of the CPU time, at ${Math.round(rate).toLocaleString("en")} rows/s`);
}
await browser.close();
rmSync(folder, { recursive: true, force: true });
