// Breaks and repairs the parts, and starts the second nets.

import { post } from "./api.js";
import { byId, el, keep } from "./dom.js";
import { breakPart } from "./flow.js";
import { once } from "./result.js";
import { onChange, store } from "./store.js";
import { badge } from "./tabs.js";

export function startSwitches() {
  byId("heal-all").addEventListener("click", async () => {
    for (const part of new Set(store.switches.filter((each) => each.on).map((each) => each.part))) await breakPart(part, "well");
  });
  act("reconcile", "/api/reconcile");
  act("dead-letters", "/api/dead-letters/replay");
  onChange("parts", draw);
}

function act(id, path) {
  const button = byId(id);
  button.addEventListener("click", () => once(button, async () => {
    const answer = await post(path);
    return answer.text ?? JSON.stringify(answer);
  }));
}

function draw() {
  const parts = new Map();
  for (const each of store.switches) parts.set(each.part, [...(parts.get(each.part) ?? []), each]);
  const groups = [...parts].map(([part, switches]) => ({ part, label: store.parts.find((each) => each.name === part)?.label ?? part, switches }));
  keep(byId("switches"), groups, (group) => group.part, drawGroup);
  const broken = store.switches.filter((each) => each.on).length;
  byId("heal-all").hidden = !broken;
  badge(byId("break-tab"), broken, "broken");
}

function drawGroup(group, old) {
  const element = old ?? el("fieldset", { class: "group" }, el("legend", {}, group.label), el("div", { class: "switches" }));
  keep(element.lastElementChild, group.switches, (each) => each.how, drawSwitch);
  return element;
}

function drawSwitch(each, old) {
  const line = old ?? el("div", { class: "switch" },
    el("button", { type: "button", onclick: (event) => breakPart(each.part, event.currentTarget.getAttribute("aria-pressed") === "true" ? "well" : each.how) }, each.label),
    el("span", {}));
  line.firstElementChild.setAttribute("aria-pressed", String(each.on));
  line.firstElementChild.setAttribute("aria-label", `${each.part}: ${each.label}`);
  line.lastElementChild.textContent = each.text;
  return line;
}
