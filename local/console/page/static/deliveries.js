// The list of deliveries: ingest's answer, and what each function did and why; body and log lines on a click.

import { get } from "./api.js";
import { byId, clock, counted, duration, el, keep, keepFocus } from "./dom.js";
import { choose, onChange, store } from "./store.js";
import { badge } from "./tabs.js";

const SIGNS = { waiting: "…", done: "✓", ignored: "–", retrying: "↻", dead: "✕" };
const LEVELS = { waiting: "waiting", done: "done", ignored: "skipped", retrying: "retry", dead: "failed" };
const WORDS = { waiting: "not handled yet", done: "done", ignored: "ignored", retrying: "tried again", dead: "given up" };
let unfolded = null; // the id of the delivery whose details are shown
let current = null; // the id of the one that the Tab key reaches
let details = null; // of that delivery: the answer of the server, or its error

export function startDeliveries() {
  byId("only-issue").addEventListener("change", draw);
  const list = byId("deliveries");
  list.addEventListener("keydown", move);
  list.addEventListener("focusin", (event) => {
    current = event.target.closest("li").dataset.key;
    reach();
  });
  onChange("deliveries", draw);
}

/** Arrows, Home and End move in the list: hundreds of stops of the Tab key would be too many. */
function move(event) {
  const buttons = [...byId("deliveries").querySelectorAll(".delivery")];
  const at = buttons.indexOf(event.target);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
  if (at < 0 || to === undefined) return;
  event.preventDefault();
  buttons[Math.max(0, Math.min(to, buttons.length - 1))].focus();
}

function reach() {
  const buttons = [...byId("deliveries").querySelectorAll(".delivery")];
  const chosen = buttons.find((button) => button.parentElement.dataset.key === current) ?? buttons[0];
  for (const button of buttons) button.tabIndex = button === chosen ? 0 : -1;
}

const keyOf = (delivery) => (delivery.repository && delivery.issue ? `${delivery.repository}#${delivery.issue}` : null);

function draw() {
  const all = [...store.deliveries.values()].reverse();
  const only = byId("only-issue").checked;
  const shown = only ? all.filter((delivery) => keyOf(delivery) === store.chosen) : all;
  keep(byId("deliveries"), shown.map((delivery) => ({ delivery, open: delivery.delivery_id === unfolded })), (item) => item.delivery.delivery_id, drawItem);
  reach();
  byId("no-delivery").hidden = shown.length > 0;
  byId("deliveries-note").textContent = shown.length ? counted(shown.length, "delivery", "deliveries") : "";
  badge(byId("deliveries-panel-tab"), all.filter((delivery) => Object.values(delivery.functions).some((each) => each.state === "retrying" || each.state === "dead")).length, "with trouble");
}

function drawItem({ delivery, open }, old) {
  const item = old ?? el("li", {}, el("button", { type: "button", class: "delivery", onclick: () => unfold(delivery.delivery_id) }));
  const button = item.firstElementChild;
  button.setAttribute("aria-expanded", String(open));
  button.replaceChildren(
    el("span", { class: "what" }, delivery.event ?? "not verified", el("i", {}, keyOf(delivery) ? ` ${keyOf(delivery)}` : "")),
    el("span", { class: "when" }, isPublished(delivery) ? el("span", { class: "status" }, "✓ 202 ") : null, clock(delivery.at)),
    el("span", { class: "outcomes" },
      isPublished(delivery) && delivery.times < 2 ? null : drawAnswer(delivery),
      isPublished(delivery) ? Object.entries(delivery.functions).map(([name, each]) => drawOutcome(name, each)) : null));
  if (!open) item.querySelector(".detail")?.remove();
  else if (!item.querySelector(".detail")) item.append(el("div", { class: "detail" }, el("p", { class: "note" }, "Loading…")));
  if (open) load(delivery);
  return item;
}

const isPublished = (delivery) => Object.values(delivery.functions).some((each) => each.state !== "waiting") || (delivery.status === 202 && delivery.answer === "published");

function drawAnswer(delivery) {
  const again = delivery.times > 1 ? `, received ${delivery.times} times` : "";
  if (delivery.status === null) return line("waiting", "…", "ingest", delivery.answer ?? "no answer yet");
  const isTaken = delivery.status < 300;
  return line(isTaken ? "done" : "failed", isTaken ? "✓" : "✕", "ingest", `${delivery.status} ${delivery.answer ?? ""}${again}`);
}

function drawOutcome(name, outcome) {
  const attempts = outcome.attempts > 1 && outcome.state !== "dead" ? `attempt ${outcome.attempts}: ` : "";
  const text = outcome.text || WORDS[outcome.state];
  return line(LEVELS[outcome.state], SIGNS[outcome.state], name, attempts + text, outcome.seconds);
}

function line(level, sign, name, text, seconds = null) {
  return el("span", { class: "outcome", "data-level": level },
    el("span", { class: "sign", "aria-hidden": "true" }, sign),
    el("span", { class: "name" }, name),
    el("span", { class: "text" }, text),
    typeof seconds === "number" ? el("span", { class: "seconds" }, duration(seconds)) : null);
}

function unfold(id) {
  unfolded = unfolded === id ? null : id;
  details = null;
  draw();
}

/** Fetch the details again with every change of the delivery, and draw them if it is still unfolded. */
async function load(delivery) {
  try {
    details = await get(`/api/deliveries/${encodeURIComponent(delivery.delivery_id)}`);
  } catch (error) {
    details = { error: error.message };
  }
  if (delivery.delivery_id !== unfolded) return;
  const old = [...byId("deliveries").children].find((each) => each.dataset.key === unfolded)?.querySelector(".detail");
  const drawn = drawDetails(delivery);
  if (old) keepFocus(old, drawn);
  old?.replaceWith(drawn);
}

function drawDetails(delivery) {
  if (details.error) return el("div", { class: "detail" }, el("p", { class: "error-text" }, details.error));
  const key = keyOf(delivery);
  const lines = details.lines ?? [];
  return el("div", { class: "detail" },
    el("p", { class: "note" }, "Delivery ", el("code", {}, delivery.delivery_id)),
    store.issues.has(key) ? el("p", { class: "buttons" }, el("button", { type: "button", onclick: () => choose(key) }, `Choose ${key}`)) : null,
    el("h4", {}, "What the functions logged"),
    lines.length ? el("ul", { class: "log" }, lines.map(drawLine)) : el("p", { class: "note" }, "Nothing."),
    el("h4", {}, "Body, as GitHub sent it"),
    details.body ? el("pre", { tabindex: "0" }, pretty(details.body)) : el("p", { class: "note" }, "Not kept any more."));
}

function drawLine(entry) {
  const level = entry.level ?? "info";
  return el("li", {}, el("span", { class: "name" }, entry.part), el("span", { class: level === "info" ? "" : "error" }, `${level === "info" ? "" : `${level}: `}${entry.text}`));
}

function pretty(body) {
  try {
    return JSON.stringify(typeof body === "string" ? JSON.parse(body) : body, null, 2);
  } catch {
    return String(body);
  }
}
