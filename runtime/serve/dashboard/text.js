// Elements and texts. What comes from a pipeline goes through here, as text.

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export const count = (value) => whole.format(value ?? 0);
export const compact = (value) => short.format(value ?? 0);

export function rate(value) {
  if (!value) return "0/s";
  return value < 10 ? `${value.toFixed(1)}/s` : value < 1000 ? `${whole.format(value)}/s` : `${compact(value)}/s`;
}

export function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

export function seconds(microseconds) {
  const value = microseconds / 1e6;
  return value < 1 ? `${Math.round(value * 1000)} ms` : `${value < 60 ? value.toFixed(1) : Math.round(value)} s`;
}

// "2026-03-01T14:03:05.000Z" -> "14:03:05"; the day too if it is another one.
export function clock(time) {
  if (!time) return "";
  const today = new Date().toISOString().slice(0, 10);
  const text = String(time).replace("T", " ").replace(/(\.\d+)?(Z|[+-]\d\d:\d\d)$/, "");
  return text.startsWith(today) ? text.slice(11) : text;
}

export const plural = (number, thing) => `${count(number)} ${thing}${number === 1 ? "" : "s"}`;

// A cell of an answer, near to what show() prints.
export function cell(value) {
  if (value === null || value === undefined) return "NULL";
  if (Array.isArray(value)) return `[${value.map(cell).join(", ")}]`;
  if (typeof value === "object") return `{${Object.values(value).map(cell).join(", ")}}`;
  return String(value).replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d*?)0*)?Z$/, (_, day, time, rest) =>
    `${day} ${time}${rest ? `.${rest}` : ""}`);
}

export const is_number = (type) => /^(tinyint|smallint|int|bigint|float|double|decimal)/.test(type);

// A table of an answer: {columns, rows}.
export function rows_table(caption, columns, rows) {
  const head = element("tr", {}, ...columns.map((column) =>
    element("th", { scope: "col", class: is_number(column.type) ? "number" : null, title: column.type }, column.name)));
  const body = rows.map((row) => element("tr", {}, ...row.map((value, i) =>
    element("td", { class: value === null ? "null" : is_number(columns[i].type) ? "number" : null }, cell(value)))));
  return element("table", {}, element("caption", {}, caption), element("thead", {}, head), element("tbody", {}, ...body));
}
