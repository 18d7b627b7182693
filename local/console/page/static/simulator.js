// The left column: opens issues, continues the chosen one, and sends whole deliveries.

import { post } from "./api.js";
import { byId, el, keep } from "./dom.js";
import { once } from "./result.js";
import { choose, chosenIssue, issueKey, onChange, store } from "./store.js";

const LISTED = 40;
const TITLES = [
  "Export fails on an empty row", "Login page is blank in Safari", "Docs: say how to rotate the secret",
  "Importer stops after the first row", "Dark mode hides the save button", "Search is slow with many labels",
];
const OF_THE_CHOSEN = new Set(["comment", "label", "unlabel", "assign", "unassign", "close", "reopen", "edit", "transfer", "delete"]);
let opened = 0;
let awaited = null; // the id of the delivery of the issue that was opened here last

export function startSimulator() {
  byId("title").value = TITLES[0];
  byId("simulator").addEventListener("submit", (event) => {
    event.preventDefault();
    simulate(event.submitter);
  });
  byId("simulator").addEventListener("keydown", enter);
  byId("find").addEventListener("input", drawIssues);
  byId("issues").addEventListener("change", (event) => choose(event.target.value));
  byId("first").addEventListener("click", () => simulate(byId("simulator").querySelector("[value=open]")));
  onChange("issues", drawIssues);
  onChange("chosen", drawChosen);
  onChange("deliveries", chooseOpened);
  onChange("issues", chooseOpened);
}

/** Enter in a field presses the button that follows the field; a form's own default would be its first button. */
function enter(event) {
  if (event.key !== "Enter" || !event.target.matches("input")) return;
  event.preventDefault();
  let place = event.target.closest(".field");
  while (place && !place.matches(".buttons")) place = place.nextElementSibling;
  if (event.target.id !== "find") place?.querySelector("button").click();
}

async function simulate(button) {
  const what = button.value;
  await once(button, async () => {
    const answer = await post("/api/simulate", { do: what, ...values(what, button) });
    if (what === "open") {
      byId("title").value = TITLES[(opened += 1) % TITLES.length];
      [awaited] = answer.deliveries;
      chooseOpened();
    }
    return answer.text;
  });
}

/** Choose the issue that was opened here, once the page knows it. */
function chooseOpened() {
  const delivery = store.deliveries.get(awaited);
  if (!delivery || !store.issues.has(`${delivery.repository}#${delivery.issue}`)) return;
  awaited = null;
  choose(`${delivery.repository}#${delivery.issue}`);
}

/** Return what the server needs to know for an action; it checks all of it. */
function values(what, button) {
  const author = byId("actor").value;
  if (what === "open") {
    const labels = byId("labels").value.split(",").map((label) => label.trim()).filter(Boolean);
    return { author, labels, repository: byId("repository").value.trim(), title: byId("title").value, body: byId("body").value };
  }
  if (!OF_THE_CHOSEN.has(what)) return { author, repository: byId("repository").value.trim() };
  const { repository, number } = chosenIssue() ?? {};
  const more = {
    comment: { body: byId("comment").value },
    label: { label: byId("label").value.trim() },
    unlabel: { label: byId("label").value.trim() },
    assign: { to: byId("assignee").value.trim() },
    unassign: { to: byId("assignee").value.trim() },
    close: { reason: button.dataset.reason },
    edit: { title: byId("new-title").value },
    transfer: { to: byId("to").value.trim() },
  };
  return { author, repository, number, ...more[what] };
}

function drawIssues() {
  const all = [...store.issues.values()];
  const wanted = byId("find").value.trim().toLowerCase();
  const found = all.filter((issue) => `${issueKey(issue)} ${issue.title}`.toLowerCase().includes(wanted));
  byId("no-issue").hidden = all.length > 0;
  byId("with-issue").hidden = all.length === 0;
  byId("find-field").hidden = all.length < 6;
  const shown = found.slice(0, LISTED);
  const items = shown.map((issue) => ({ ...issue, chosen: issueKey(issue) === store.chosen }));
  keep(byId("issues"), items, issueKey, drawIssue);
  byId("issues-note").textContent = found.length > LISTED ? `${LISTED} of ${found.length}; find shows others.` : found.length ? "" : "None has these words.";
  const repositories = new Set(["acme/app", "acme/website", ...all.map((issue) => issue.repository)]);
  keep(byId("repositories"), [...repositories], (name) => name, (name) => el("option", { value: name }));
}

function drawIssue(issue, old) {
  const key = issueKey(issue);
  const about = [issue.state === "closed" ? `closed ${words(issue.state_reason)}`.trim() : issue.state, ...issue.labels, ...issue.assignees.map((login) => `@${login}`)];
  const lines = el("span", { class: "lines" },
    el("span", { class: "title" }, issue.title),
    el("span", { class: "about" }, `${key} · ${about.join(" · ")}`));
  if (old) {
    old.querySelector(".lines").replaceWith(lines);
    old.firstElementChild.checked = issue.chosen;
    return old;
  }
  const radio = el("input", { type: "radio", name: "issue", value: key });
  radio.checked = issue.chosen;
  return el("label", {}, radio, lines);
}

const words = (reason) => (reason ? `as ${reason.replace("_", " ")}` : "");

function drawChosen() {
  const issue = chosenIssue();
  byId("chosen-name").textContent = issue ? issueKey(issue) : "an issue";
  if (!issue) return;
  byId("closing").hidden = issue.state !== "open";
  byId("reopening").hidden = issue.state === "open";
  const title = byId("new-title");
  if (title.dataset.of !== issueKey(issue)) {
    title.dataset.of = issueKey(issue);
    title.value = issue.title;
  }
}
