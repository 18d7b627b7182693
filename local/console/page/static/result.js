// What became of the reader's own last action, in sight and for screen readers.

import { byId } from "./dom.js";

export function said(text, isError = false) {
  const result = byId("result");
  result.textContent = text;
  result.classList.toggle("error", isError);
}

/** Carry out what a button is for, as `tell` does, but not again before it is over. */
export async function once(button, act) {
  if (button.ariaBusy === "true") return false;
  button.ariaBusy = "true";
  try {
    return await tell(act);
  } finally {
    button.ariaBusy = null;
  }
}

/** Carry out an action that returns a sentence; a refusal is said too. */
export async function tell(act) {
  try {
    said((await act()) ?? "Done.");
    return true;
  } catch (error) {
    said(error.message, true);
    return false;
  }
}
