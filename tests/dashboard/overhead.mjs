// What an open dashboard costs: rows per second of the process's own CPU time, with and without a page that shows 20
// live tables. CPU time, so that what else the machine does (the browser above all) does not count.
//
//   tests/dashboard/run once, then: FLOWRUN=build/release/flowrun node tests/dashboard/overhead.mjs [SECONDS] [ROUNDS]
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { chromium } from "playwright-core";

const FLOWRUN = process.env.FLOWRUN ?? "build/release/flowrun";
const SECONDS = Number(process.argv[2] ?? 20);
const ROUNDS = Number(process.argv[3] ?? 3);
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

function cpu_of(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
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
  const [cpu, rows] = [cpu_of(run.pid), await rows_of(address)];
  await wait(SECONDS);
  const rate = ((await rows_of(address)) - rows) / (cpu_of(run.pid) - cpu);
  await page?.close();
  run.kill("SIGKILL");
  return rate;
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
const without = [];
const open = [];
for (let round = 0; round < ROUNDS; round += 1) {
  without.push(await measure(null));
  open.push(await measure(browser));
}
await browser.close();
rmSync(folder, { recursive: true, force: true });
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const [a, b] = [median(without), median(open)];
console.log(`rows per CPU second: ${Math.round(a)} without a page, ${Math.round(b)} with one: ${((1 - b / a) * 100).toFixed(1)} % less`);
