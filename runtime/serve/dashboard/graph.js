// The graph as it is wired: nodes in layers from left to right, drawn once; numbers set with every event.

import { bytes, clock, compact, count, element, rate, seconds, svg } from "./text.js";

const NODE_WIDTH = 172;
const NODE_HEIGHT = 62;
const GAP_X = 84;
const GAP_Y = 16;
const MARGIN = 8;

const INDENT = 14; // of a layer, where there is no room for layers side by side
const ROOM_FOR_LAYERS = 700; // pixels
const LEAST_SCALE = 0.6;
const SHOWN_LAG = 1000; // microseconds

let graph = null;
let last = null;
const marks = { edges: [], nodes: [] };

// The layer of a node is one more than that of the last node it reads.
function layers_of({ nodes, edges }) {
  const layer = nodes.map(() => 0);
  for (let i = 0; i < nodes.length; i += 1) {
    for (const edge of edges) if (edge.to === i) layer[i] = Math.max(layer[i], layer[edge.from] + 1);
  }
  const layers = [];
  layer.forEach((at, i) => (layers[at] ??= []).push(i));
  return layers;
}

function places_of(layers, edges) {
  const place = [];
  const height = Math.max(...layers.map((layer) => layer.length));
  layers.forEach((layer, x) => {
    // Nodes stand near the middle of what they read, in an order that crosses few edges.
    const wish = (node) => {
      const from = edges.filter((edge) => edge.to === node).map((edge) => place[edge.from]?.row ?? 0);
      return from.length ? from.reduce((a, b) => a + b, 0) / from.length : node / 1e3;
    };
    const wishes = new Map(layer.map((node) => [node, wish(node)]));
    const sorted = [...layer].sort((a, b) => wishes.get(a) - wishes.get(b));
    let row = x === 0 ? Math.max(0, (height - sorted.length) / 2) : 0;
    sorted.forEach((node, i) => {
      const left = sorted.length - i;
      row = Math.min(Math.max(row, x === 0 ? row : wishes.get(node) - (sorted.length > 1 ? 0.5 : 0)), height - left);
      place[node] = { x: MARGIN + x * (NODE_WIDTH + GAP_X), y: MARGIN + row * (NODE_HEIGHT + GAP_Y), row };
      row += 1;
    });
  });
  return place;
}

// One below the other, each behind what it reads.
function outline_of(layers, edges) {
  const layer = [];
  layers.forEach((nodes, at) => nodes.forEach((node) => { layer[node] = at; }));
  const place = [];
  let row = 0;
  const visit = (node) => {
    if (place[node]) return;
    place[node] = { x: MARGIN + layer[node] * INDENT, y: MARGIN + row * (NODE_HEIGHT + GAP_Y), row };
    row += 1;
    edges.filter((edge) => edge.from === node).forEach((edge) => visit(edge.to));
  };
  layers.flat().forEach(visit);
  return place;
}

const cut = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

function draw_edge(edge, from, to, outline) {
  const middle = to.y + NODE_HEIGHT / 2;
  const x1 = outline ? from.x + INDENT / 2 : from.x + NODE_WIDTH;
  const y1 = from.y + (outline ? NODE_HEIGHT : NODE_HEIGHT / 2);
  const bend = (to.x - x1) / 2;
  const way = outline ? `V${middle} H${to.x}` : `C${x1 + bend},${y1} ${to.x - bend},${middle} ${to.x},${middle}`;
  const end = { "text-anchor": "end" };
  const label = svg("text", { ...(outline ? { x: to.x + NODE_WIDTH - 6, y: to.y - 4 } : { x: to.x - 6, y: middle - 5 }), ...end, class: "rate" });
  const lag = svg("text", { ...(outline ? { x: to.x + NODE_WIDTH - 60, y: to.y - 4 } : { x: to.x - 6, y: middle + 14 }), ...end, class: "rate" });
  const line = svg("path", { d: `M${x1},${y1} ${way}`, class: "edge" });
  const place = outline ? { x: to.x + 5, y: to.y - 4 } : { x: x1 + 5, y: y1 - 5 };
  const port = edge.port ? [svg("text", { ...place, class: "port" }, document.createTextNode(`.${edge.port}`))] : [];
  return { group: svg("g", {}, line, label, lag, ...port), line, label, lag };
}

function draw_node(node, place) {
  const box = svg("rect", { x: place.x, y: place.y, width: NODE_WIDTH, height: NODE_HEIGHT, rx: 6 });
  const line = (text, dy, kind) =>
    svg("text", { x: place.x + 9, y: place.y + dy, class: kind }, document.createTextNode(text));
  const state = line("", 54, "state");
  const title = svg("title", {}, document.createTextNode(`${node.id}: ${node.text || node.operator}${node.doc ? ` — ${node.doc}` : ""}`));
  const group = svg("g", { class: `node ${node.kind}` }, title, box, line(cut(node.id, 22), 19, "name"),
    line(cut(node.text || node.operator, 25), 37, "what"), state);
  return { group, state };
}

export function draw(into, described) {
  graph = described;
  const outline = into.clientWidth < ROOM_FOR_LAYERS;
  const layers = layers_of(graph);
  const places = outline ? outline_of(layers, graph.edges) : places_of(layers, graph.edges);
  const width = Math.max(...places.map((place) => place.x)) + NODE_WIDTH + MARGIN;
  const height = Math.max(...places.map((place) => place.y)) + NODE_HEIGHT + MARGIN;
  const scale = Math.max(Math.min(1, into.clientWidth / width), LEAST_SCALE);
  const picture = svg("svg", { width: width * scale, height: height * scale, viewBox: `0 0 ${width} ${height}`, role: "img",
    "aria-label": `${graph.nodes.length} nodes; the same as a table below` });
  marks.edges = graph.edges.map((edge) => draw_edge(edge, places[edge.from], places[edge.to], outline));
  marks.nodes = graph.nodes.map((node, i) => draw_node(node, places[i]));
  picture.append(...marks.edges.map((mark) => mark.group), ...marks.nodes.map((mark) => mark.group));
  into.replaceChildren(picture);
}

// After the room for the picture has changed.
export function redraw(into, table) {
  if (!graph) return;
  draw(into, graph);
  if (last) update(table, ...last);
}

function state_text(node, progress, state) {
  const parts = [];
  if (state?.rows) parts.push(`${compact(state.rows)} rows, ${bytes(state.bytes)}`);
  if (progress?.watermark) parts.push(`W ${clock(progress.watermark)}`);
  if (progress?.late_rows) parts.push(`late ${compact(progress.late_rows)}`);
  if (progress?.rejected_rows) parts.push(`rejected ${compact(progress.rejected_rows)}`);
  return parts.join(" · ");
}

// Numbers of an epoch into the picture and the table. `failing` has the names of nodes in trouble.
export function update(table, epoch, failing) {
  last = [epoch, failing];
  if (!graph) return;
  const progress = epoch.progress;
  marks.edges.forEach((mark, i) => {
    const per_second = epoch.edge_rates[i] ?? 0;
    const first = graph.nodes[graph.edges[i].from].kind === "source";
    mark.label.textContent = rate(per_second);
    mark.lag.textContent = first && progress?.lag_us >= SHOWN_LAG ? `lag ${seconds(progress.lag_us)}` : "";
    mark.line.setAttribute("class", per_second > 0 ? "edge busy" : "edge");
  });
  const states = new Map((progress?.states ?? []).map((state) => [state.node, state]));
  const rows = graph.nodes.map((node, i) => {
    const of_node = progress?.nodes?.[i];
    const state = states.get(node.name) ?? states.get(node.id);
    const text = state_text(node, of_node, node.kind === "stateful" ? state : null);
    const wrong = failing.has(node.name);
    marks.nodes[i].state.textContent = wrong ? "in trouble, see above" : text;
    marks.nodes[i].group.setAttribute("class", `node ${node.kind}${wrong ? " failing" : ""}${of_node?.late_rows || of_node?.rejected_rows ? " losing" : ""}`);
    const sum = (end) => graph.edges.reduce((total, edge, e) => total + (edge[end] === i ? epoch.edge_rates[e] ?? 0 : 0), 0);
    return element("tr", {}, element("th", { scope: "row" }, node.id), element("td", {}, node.text || node.operator),
      element("td", { class: "number" }, rate(sum("to"))), element("td", { class: "number" }, rate(sum("from"))),
      element("td", { class: "number" }, count(of_node?.late_rows)), element("td", { class: "number" }, count(of_node?.rejected_rows)),
      element("td", {}, clock(of_node?.watermark)),
      element("td", {}, node.kind === "stateful" && state ? `${count(state.rows)} rows, ${bytes(state.bytes)}; ${node.state}` : ""));
  });
  const heads = ["node", "what", "in", "out", "late", "rejected", "watermark", "state"].map((name) => element("th", { scope: "col" }, name));
  table.replaceChildren(element("caption", { class: "hidden" }, "Nodes"), element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...rows));
}
