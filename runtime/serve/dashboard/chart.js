// A chart that suits a table: windows or times as lines, groups as bars; none where there is no number.

import { cell, clock, compact, is_number, svg } from "./text.js";

const WIDTH = 640;
const HEIGHT = 200;
const LEFT = 52;
const BOTTOM = 24;
const MOST_BARS = 12;
const MOST_LINES = 6;

const time_of = (value) => Date.parse(typeof value === "object" && value !== null ? value.start : value);

// What stands on the axes: {time, group, value} are indices of columns, or -1.
function axes_of(columns) {
  const find = (test) => columns.findIndex((column) => test(column.type, column.name));
  return {
    time: find((type) => type === "timestamp" || /^struct<start:timestamp,end:timestamp>/.test(type)),
    group: find((type) => type === "string" || type === "boolean" || type === "date"),
    value: columns.findLastIndex((column) => is_number(column.type)),
  };
}

const text = (x, y, content, attributes = {}) => svg("text", { x, y, ...attributes }, document.createTextNode(content));

function frame(label) {
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "chart", role: "img", "aria-label": label });
}

function scale(picture, most) {
  for (const share of [0, 0.5, 1]) {
    const y = HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - 12);
    picture.append(svg("line", { x1: LEFT, x2: WIDTH, y1: y, y2: y, class: "grid" }), text(LEFT - 6, y + 4, compact(most * share), { "text-anchor": "end" }));
  }
}

function lines(columns, rows, axes) {
  const series = new Map();
  for (const row of rows) {
    const time = time_of(row[axes.time]);
    const value = Number(row[axes.value]);
    if (!Number.isFinite(time) || row[axes.value] === null || !Number.isFinite(value)) continue;
    const name = axes.group >= 0 ? cell(row[axes.group]) : "";
    if (!series.has(name)) series.set(name, []);
    series.get(name).push([time, value]);
  }
  const shown = [...series].sort((a, b) => b[1].length - a[1].length).slice(0, MOST_LINES);
  const points = shown.flatMap(([, list]) => list);
  if (points.length < 2) return null;
  const first = Math.min(...points.map(([time]) => time));
  const last = Math.max(...points.map(([time]) => time));
  const most = Math.max(...points.map(([, value]) => value), 0) || 1;
  const x = (time) => LEFT + ((time - first) / (last - first || 1)) * (WIDTH - LEFT - 8);
  const y = (value) => HEIGHT - BOTTOM - (Math.max(value, 0) / most) * (HEIGHT - BOTTOM - 12);
  const name = columns[axes.value].name;
  const picture = frame(`${name} over time, ${points.length} points, at most ${compact(most)}; the table below has the values`);
  scale(picture, most);
  shown.forEach(([group, list], i) => {
    list.sort((a, b) => a[0] - b[0]);
    picture.append(svg("path", { d: `M${list.map(([time, value]) => `${x(time).toFixed(1)},${y(value).toFixed(1)}`).join("L")}`, class: `line series-${i}` }));
    if (list.length < 40) picture.append(...list.map(([time, value]) => svg("circle", { cx: x(time).toFixed(1), cy: y(value).toFixed(1), r: 2.5, class: `dot series-${i}` })));
    if (group) picture.append(text(LEFT + 8 + i * 96, 10, group.slice(0, 14), { class: `legend series-${i}` }));
  });
  const iso = (time) => clock(new Date(time).toISOString());
  picture.append(text(LEFT, HEIGHT - 6, iso(first)), text(WIDTH - 4, HEIGHT - 6, iso(last), { "text-anchor": "end" }));
  return picture;
}

function bars(columns, rows, axes) {
  const items = rows.filter((row) => row[axes.value] !== null && Number.isFinite(Number(row[axes.value])))
    .map((row) => [columns.filter((column, i) => i !== axes.value && !is_number(column.type)).map((column) => cell(row[columns.indexOf(column)])).join(" · "), Number(row[axes.value])])
    .sort((a, b) => b[1] - a[1]).slice(0, MOST_BARS);
  if (items.length < 2) return null;
  const most = Math.max(...items.map(([, value]) => Math.abs(value))) || 1;
  const name = columns[axes.value].name;
  const picture = frame(`${name} by group, ${items[0][0]} most with ${compact(items[0][1])}; the table below has the values`);
  const step = HEIGHT / items.length;
  items.forEach(([group, value], i) => {
    const width = (Math.abs(value) / most) * (WIDTH - 260);
    picture.append(text(180, (i + 0.5) * step + 4, group.length > 26 ? `${group.slice(0, 25)}…` : group, { "text-anchor": "end" }),
      svg("rect", { x: 188, y: i * step + 2, width: Math.max(width, 1).toFixed(1), height: (step - 4).toFixed(1), class: "bar" }),
      text(194 + width, (i + 0.5) * step + 4, compact(value)));
  });
  return picture;
}

export function chart(columns, rows) {
  const axes = axes_of(columns);
  if (axes.value < 0) return null;
  if (axes.time >= 0) return lines(columns, rows, axes);
  return axes.group >= 0 ? bars(columns, rows, axes) : null;
}
