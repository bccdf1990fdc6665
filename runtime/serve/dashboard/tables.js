// Every table of the pipeline: read anew when its epoch has moved on and it is in sight.

import { ask_json } from "./connection.js";
import { chart } from "./chart.js";
import { element, plural, rows_table } from "./text.js";

const MOST_ROWS = 500;
const SHOWN_ROWS = 20;
const PAUSE = 1000; // milliseconds between two readings of a table

const shown = new Map();
const sight = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    const table = shown.get(entry.target.dataset.table);
    if (table) table.visible = entry.isIntersecting;
    if (table?.visible) refresh(table);
  }
}, { rootMargin: "200px" });

function add(into, name) {
  const body = element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `Rows of ${name}, scrollable` });
  const picture = element("div", { class: "picture" });
  const note = element("p", { class: "note" });
  const section = element("article", { "aria-label": `Table ${name}` }, element("h3", {}, name), note, picture, body);
  section.dataset.table = name;
  const table = { name, section, body, picture, note, visible: false, read: null, wanted: null, busy: false, last: 0 };
  shown.set(name, table);
  into.append(section);
  sight.observe(section);
  return table;
}

async function refresh(table) {
  if (table.busy || !table.visible || table.read === table.wanted) return;
  const wait = table.last + PAUSE - Date.now();
  if (wait > 0) {
    table.busy = true;
    setTimeout(() => { table.busy = false; refresh(table); }, wait);
    return;
  }
  table.busy = true;
  table.last = Date.now();
  const epoch = table.wanted;
  try {
    show(table, await ask_json(`/v1/tables/${encodeURIComponent(table.name)}?limit=${MOST_ROWS}&format=json`));
    table.read = epoch;
  } catch (error) {
    table.note.textContent = error.message;
  }
  table.busy = false;
  if (table.read !== table.wanted && table.read === epoch) refresh(table);
}

function show(table, { columns, rows }) {
  const picture = chart(columns, rows);
  table.picture.replaceChildren(...(picture ? [picture] : []));
  const caption = rows.length > SHOWN_ROWS ? `the first ${SHOWN_ROWS} rows` : plural(rows.length, "row");
  table.body.replaceChildren(rows_table(caption, columns, rows.slice(0, SHOWN_ROWS)));
}

export function update(into, tables) {
  if (tables.length === 0 && shown.size === 0) {
    into.replaceChildren(element("p", {}, "This pipeline has no tables; a sink `memory` makes one."));
    return;
  }
  for (const described of tables) {
    const table = shown.get(described.name) ?? add(into, described.name);
    table.wanted = described.kind === "static" ? "static" : described.epoch;
    const dropped = described.dropped_rows ? `, ${plural(described.dropped_rows, "older row")} dropped` : "";
    table.note.textContent = described.kind === "static" ? "static" : described.epoch < 0 ? "nothing yet" : `${plural(described.rows, "row")}, epoch ${described.epoch}${dropped}`;
    table.section.dataset.epoch = described.epoch ?? "";
    refresh(table);
  }
}
