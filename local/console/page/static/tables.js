// Rows of BigQuery as tables and lists of facts; every cell is text.

import { el } from "./dom.js";

export function cell(value) {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

export function table(label, columns, rows) {
  return el("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": label },
    el("table", {},
      el("thead", {}, el("tr", {}, columns.map((column) => el("th", { scope: "col" }, column)))),
      el("tbody", {}, rows.map((row) => el("tr", {}, row.map((value) => el("td", { title: cell(value).length > 40 ? cell(value) : null }, cell(value))))))));
}

export function facts(row) {
  const known = Object.entries(row).filter(([, value]) => cell(value) !== "" && cell(value) !== "[]");
  return el("dl", { class: "facts" }, known.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, cell(value))]));
}
