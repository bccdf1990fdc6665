// What an open dashboard costs: a pipeline takes rows as fast as it can into 20 live tables, by turns with and without a
// page that shows them all. For each: rows a second of the wall clock; rows a CPU second of the whole process and of its
// threads that do not serve, which what else the machine does (the browser above all) disturbs less; and the share of
// CPU time that serving takes. The medians of all turns, and the least and the most: a difference within them says nothing.
//
//   tests/dashboard/run once, then: FLOWRUN=build/release/flowrun node tests/dashboard/overhead.mjs [SECONDS [TURNS]]
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { chromium } from "playwright-core";

const FLOWRUN = process.env.FLOWRUN ?? "build/release/flowrun";
const SECONDS = Number(process.argv[2] ?? 10);
const TURNS = Number(process.argv[3] ?? 5);
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

async function turn(pid, address) {
  const [before, rows, began] = [cpu_of(pid), await rows_of(address), performance.now()];
  await wait(SECONDS);
  const [after, taken, passed] = [cpu_of(pid), (await rows_of(address)) - rows, (performance.now() - began) / 1000];
  const all = after.all - before.all;
  const serving = after.serving - before.serving;
  return { wall: taken / passed, whole: taken / all, own: taken / (all - serving), share: serving / all };
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
const run = spawn(FLOWRUN, ["run", file, "--listen", "127.0.0.1:0"], { env: { ...process.env, XDG_RUNTIME_DIR: folder }, stdio: ["ignore", "ignore", "pipe"] });
let said = "";
run.stderr.on("data", (piece) => { said += piece; });
while (!said.match(/http:\/\/\S+/)) await wait(0.05);
const address = said.match(/http:\/\/[\d.:]+/)[0];
await wait(3);
const turns = { without: [], with: [] };
for (let i = 0; i < TURNS; ++i) {
  turns.without.push(await turn(run.pid, address));
  const page = await browser.newPage({ viewport: { width: 1280, height: 12000 } });
  await page.goto(address);
  await page.locator(`article[data-table="table_${TABLES - 1}"] td`).first().waitFor({ timeout: 120_000 });
  turns.with.push(await turn(run.pid, address));
  await page.close();
  await wait(1);
}
const median = (of, what) => of.map((one) => one[what]).sort((a, b) => a - b)[Math.floor(of.length / 2)];
const millions = (of, what) => {
  const rows = of.map((one) => one[what]);
  const [middle, least, most] = [median(of, what), Math.min(...rows), Math.max(...rows)].map((number) => (number / 1e6).toFixed(2));
  return `${middle} M (${least} to ${most})`;
};
for (const [name, of] of Object.entries(turns)) {
  console.log(`${name} the page: ${millions(of, "wall")} rows/s, ${millions(of, "whole")} rows a CPU second of the process, ` +
    `${millions(of, "own")} of its own threads, serving takes ${(median(of, "share") * 100).toFixed(2)} %`);
}
for (const what of ["wall", "whole", "own"]) {
  console.log(`${what}: ${((median(turns.with, what) / median(turns.without, what) - 1) * 100).toFixed(1)} %`);
}
run.kill("SIGKILL");
await browser.close();
rmSync(folder, { recursive: true, force: true });
