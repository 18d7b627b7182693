// Calls the playground's own server. A refusal is an Error whose message is the server's sentence.

export async function get(path, parameters) {
  return answer(await fetch(parameters ? `${path}?${new URLSearchParams(parameters)}` : path));
}

export async function post(path, values = {}) {
  const headers = { "Content-Type": "application/json" };
  return answer(await fetch(path, { method: "POST", headers, body: JSON.stringify(values) }));
}

async function answer(response) {
  const text = await response.text();
  let values;
  try {
    values = JSON.parse(text);
  } catch {
    throw new Error(text.slice(0, 300) || `the playground answered ${response.status}`);
  }
  if (!response.ok) throw new Error(values.error ?? `the playground answered ${response.status}`);
  return values;
}
