// Starts the page: each part draws itself from the store, which follows the server.

import { startDeliveries } from "./deliveries.js";
import { byId } from "./dom.js";
import { startFlow } from "./flow.js";
import { startSimulator } from "./simulator.js";
import { redrawSlack, startSlack } from "./slack.js";
import { follow } from "./stream.js";
import { startSwitches } from "./switches.js";
import { tabs } from "./tabs.js";
import { startWarehouse } from "./warehouse.js";

startFlow();
startSimulator();
startSwitches();
startSlack();
startDeliveries();
const readers = startWarehouse();

for (const list of ["github-tabs", "data-tabs"]) {
  tabs(byId(list), (panel, all) => {
    for (const id of all) byId(id).hidden = id !== panel;
    readers[panel]?.();
  });
}

// In a narrow window the columns are tabs too.
const showColumn = tabs(byId("columns-tabs"), (column, all) => {
  for (const id of all) byId(id).classList.toggle("shown", id === column);
  redrawSlack();
});
showColumn("slack-column");
document.querySelector(".skip").addEventListener("click", (event) => {
  const column = event.target.closest("a")?.hash.slice(1);
  if (column) showColumn(column);
});
const narrow = matchMedia("(max-width: 1020px)");
const fit = () => {
  for (const column of document.querySelectorAll(".column")) {
    column.setAttribute("role", narrow.matches ? "tabpanel" : "region");
  }
};
narrow.addEventListener("change", fit);
fit();

follow();
