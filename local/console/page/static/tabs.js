// Tabs as the ARIA practices describe them: one stop of the Tab key, arrows, Home and End.

/** Make the tabs of a list work; show(panel id) is called for each choice. */
export function tabs(list, show) {
  const all = [...list.querySelectorAll("[role=tab]")];
  const select = (tab) => {
    for (const each of all) {
      const chosen = each === tab;
      each.setAttribute("aria-selected", String(chosen));
      each.tabIndex = chosen ? 0 : -1;
    }
    show(tab.getAttribute("aria-controls"), all.map((each) => each.getAttribute("aria-controls")));
  };
  list.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (tab) select(tab);
  });
  list.addEventListener("keydown", (event) => {
    const at = all.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    const tab = all[(to + all.length) % all.length];
    tab.focus();
    select(tab);
  });
  return (panel) => select(all.find((tab) => tab.getAttribute("aria-controls") === panel));
}

/** Show how much there is to see behind a tab. */
export function badge(tab, count, words) {
  const mark = tab.querySelector(".badge");
  mark.hidden = !count;
  mark.textContent = count ? `${count}` : "";
  if (count) tab.setAttribute("aria-label", `${tab.firstChild.textContent.trim()}, ${count} ${words}`);
  else tab.removeAttribute("aria-label");
}
