// What BigQuery has: the issue's row and events, the headline numbers, and any question in SQL.

import { get, post } from "./api.js";
import { byId, counted, el } from "./dom.js";
import { chosenIssue, issueKey, onChange, store } from "./store.js";
import { cell, facts, table } from "./tables.js";

const TELLING = ["event_at", "event", "action", "sender", "label", "assignee", "issue_state"]; // the first columns of events
const NUMBERS_MILLISECONDS = 3000; // the server counts again only some time after the last count, and if rows have come
const PAUSE_MILLISECONDS = 400; // between two readings

export function startWarehouse() {
  const issue = reader("issue-panel", readIssue);
  const numbers = reader("numbers-panel", readNumbers);
  onChange("chosen", issue);
  onChange("deliveries", issue);
  onChange("deliveries", numbers);
  setInterval(numbers, NUMBERS_MILLISECONDS);
  startSql();
  return { "issue-panel": issue, "numbers-panel": numbers };
}

/** Return what reads a panel again: only while it is in sight, and one reading after the other. */
function reader(id, read) {
  let isReading = false;
  let isDue = false;
  return async function again() {
    if (byId(id).hidden) return;
    isDue = true;
    if (isReading) return;
    isReading = true;
    if (!byId(id).childElementCount) byId(id).append(el("p", { class: "empty" }, "Loading…"));
    while (isDue) {
      isDue = false;
      try {
        await read(byId(id));
      } catch (error) {
        byId(id).shown = null;
        byId(id).replaceChildren(el("p", { class: "error-text" }, error.message));
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLISECONDS));
    }
    isReading = false;
  };
}

/** Return whether the panel shows these values already: then it is left alone, with its scroll position. */
function isShown(panel, ...values) {
  const before = panel.shown;
  panel.shown = JSON.stringify(values);
  return panel.shown === before;
}

async function readIssue(panel) {
  const issue = chosenIssue();
  if (!issue) panel.shown = null;
  if (!issue) return panel.replaceChildren(el("p", { class: "empty" }, "No issue is chosen. Open one, and its row and its events are shown here."));
  const { repository, number } = issue;
  const answer = await get("/api/issue", { repository, number });
  if (isShown(panel, answer, store.chosen)) return;
  const { row, events } = answer;
  const columns = [...new Set([...TELLING, ...Object.keys(events[0] ?? {})])].filter((name) => events.some((event) => cell(event[name]) !== ""));
  panel.replaceChildren(
    el("h3", {}, `${issueKey(issue)} in the view issues`),
    row ? facts(row) : el("p", { class: "empty" }, "No row yet."),
    el("h3", {}, `Latest rows of issue_events (${events.length})`),
    events.length ? table("Latest rows of issue_events", columns, events.map((event) => columns.map((name) => event[name]))) : el("p", { class: "empty" }, "No event yet."));
}

async function readNumbers(panel) {
  const answer = await get("/api/numbers");
  if (isShown(panel, answer)) return;
  const { headline, charts } = answer;
  panel.replaceChildren(
    headline.length
      ? el("dl", { class: "figures" }, headline.map((each) => el("div", {}, el("dt", {}, each.label), el("dd", { class: "value" }, each.value), el("dd", {}, each.note ?? ""))))
      : el("p", { class: "empty" }, "No issue is stored yet, so there is nothing to count."),
    el("p", { class: "buttons" }, el("a", { href: "/report", target: "_blank", rel: "noopener" }, "Open the whole report")),
    ...charts.map((chart) => el("figure", { class: "drawing" }, el("figcaption", {}, el("h3", {}, chart.title)), drawing(chart.svg))));
}

/** Return a chart that the server has drawn from numbers, parsed as SVG and not as HTML. */
function drawing(svg) {
  return document.importNode(new DOMParser().parseFromString(svg, "image/svg+xml").documentElement, true);
}

async function startSql() {
  const sql = byId("sql");
  const choice = byId("example");
  byId("sql-form").addEventListener("submit", (event) => {
    event.preventDefault();
    run(sql.value);
  });
  sql.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) byId("sql-form").requestSubmit();
  });
  choice.addEventListener("change", () => {
    const chosen = choice.selectedOptions[0].dataset.sql;
    if (chosen) sql.value = chosen;
  });
  try {
    for (const each of await get("/api/sql/examples")) choice.append(el("option", { "data-sql": each.sql }, each.title));
  } catch (error) {
    byId("sql-status").textContent = `No examples: ${error.message}`;
  }
  sql.value ||= choice.options[1]?.dataset.sql ?? "";
}

async function run(sql) {
  const status = byId("sql-status");
  const place = byId("sql-result");
  status.textContent = "Running";
  try {
    const { columns, rows, truncated, ms } = await post("/api/sql", { sql });
    status.textContent = `${truncated ? "the first " : ""}${counted(rows.length, "row")} in ${Math.round(ms)} ms`;
    place.replaceChildren(rows.length ? table("Result", columns, rows) : el("p", { class: "empty" }, "No row."));
  } catch (error) {
    status.textContent = "Refused";
    place.replaceChildren(el("p", { class: "error-text" }, error.message));
  }
}
