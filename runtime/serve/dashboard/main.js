// The page: what it hears goes to its parts.

import { ask, ask_json, listen, Refused, set_token } from "./connection.js";
import * as graph from "./graph.js";
import * as tables from "./tables.js";
import { bytes, clock, count, element, rate, rows_table, seconds } from "./text.js";

const RETRY = 2000; // milliseconds
const at = (id) => document.getElementById(id);

let log = [];
let last = null;
let notices = "";

// What is wrong now, in plain words: [node, text].
function troubles(epoch) {
  const found = [];
  for (const source of epoch?.sources_now ?? []) {
    if (source.available) continue;
    const line = log.findLast((entry) => entry.node === source.node);
    found.push([source.node, `${source.node} gets no data: its peer does not answer.${line ? ` ${line.message}` : ""}`]);
  }
  for (const sink of epoch?.sinks_now ?? []) {
    if (sink.available) continue;
    const line = log.findLast((entry) => entry.node === sink.node);
    found.push([sink.node, `${sink.node} is waited for, and nothing is read: its peer does not answer.${line ? ` ${line.message}` : ""}`]);
  }
  if (epoch?.phase === "failed") found.push(["", `The pipeline has failed: ${epoch.failure}`]);
  if (epoch?.phase === "ended") found.push(["", "The pipeline has ended; what stands here is its last state."]);
  return found;
}

function show_notices(list) {
  // Only what is new is read out: texts that differ in numbers alone are the same.
  const kind = list.map(([, text]) => text.replace(/\d+/g, "#")).join("\n");
  if (kind === notices) return;
  notices = kind;
  at("notices").replaceChildren(...list.map(([, text]) => element("p", {}, text)));
}

function show_totals(epoch) {
  const progress = epoch.progress;
  const items = progress ? [
    ["epoch", count(progress.epoch)],
    ["input", rate(progress.input_rows_per_second)],
    ["lag", seconds(progress.lag_us)],
    ["watermark", clock(progress.watermark) || "none"],
    ["late", count(progress.late_rows)],
    ["rejected", count(progress.rejected_rows)],
    ["memory", bytes(progress.memory_bytes)],
  ] : [["epoch", "none yet"]];
  at("totals").replaceChildren(...items.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))));
}

function set_phase(text) {
  if (at("phase").textContent !== text) at("phase").textContent = text;
}

function hear(name, data) {
  if (name === "log") {
    log = data.lines;
    if (log.length === 0) return;
    at("log").replaceChildren(...log.slice(-30).reverse().map((line) => element("li", { class: line.level },
      element("time", { datetime: line.time }, clock(line.time)), " ", line.node ? element("b", {}, `${line.node}: `) : "", line.message,
      line.repeated > 1 ? ` (${count(line.repeated)} times)` : "")));
  } else if (name === "epoch") {
    last = data;
    set_phase(data.phase);
    show_totals(data);
    tables.update(at("table-list"), data.tables);
  }
  const list = troubles(last);
  show_notices(list);
  if (last) graph.update(at("nodes"), last, new Set(list.map(([node]) => node)));
}

async function connect() {
  try {
    const status = await ask_json("/v1/status");
    document.title = `${status.name} · flowrun`;
    at("name").textContent = status.name;
    at("token-form").hidden = true;
    graph.draw(at("graph"), await ask_json("/v1/graph"));
    await listen("/v1/events", hear);
    throw new Error("the stream of events ended");
  } catch (error) {
    if (error instanceof Refused && error.status === 401) {
      at("token-form").hidden = false;
      at("token").focus();
      set_phase("waits for a token");
      return;
    }
    const over = last && (last.phase === "ended" || last.phase === "failed");
    set_phase(over ? last.phase : "not connected");
    show_notices(over ? troubles(last) : [["", "flowrun does not answer: it has ended, or the way to it is broken. This page tries again every 2 seconds."]]);
    setTimeout(connect, RETRY);
  }
}

async function ask_sql(event) {
  event?.preventDefault();
  const answer = at("answer");
  const statement = at("sql").value;
  if (statement.trim() === "") return;
  try {
    const response = await ask("/v1/sql?max_rows=1000&format=json", { method: "POST", headers: { "Content-Type": "text/plain" }, body: statement });
    const { columns, rows, more } = await response.json();
    const caption = more ? `the first ${count(rows.length)} rows; there are more` : `${count(rows.length)} rows`;
    answer.replaceChildren(element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Rows of the answer, scrollable" }, rows_table(caption, columns, rows)));
  } catch (error) {
    answer.replaceChildren(element("pre", { class: "error" }, error.text ?? error.message));
  }
}

at("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  set_token(at("token").value);
  let width = 0;
new ResizeObserver(([entry]) => {
  if (Math.abs(entry.contentRect.width - width) > 20) graph.redraw(at("graph"), at("nodes"));
  width = entry.contentRect.width;
}).observe(at("graph"));
connect();
});
at("sql-form").addEventListener("submit", ask_sql);
at("sql").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) ask_sql(event);
});
let width = 0;
new ResizeObserver(([entry]) => {
  if (Math.abs(entry.contentRect.width - width) > 20) graph.redraw(at("graph"), at("nodes"));
  width = entry.contentRect.width;
}).observe(at("graph"));
connect();
