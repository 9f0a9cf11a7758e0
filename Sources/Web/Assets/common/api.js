// Asks the server's JSON API. Paths are relative to the page's base, so that a route prefix needs no care.

export const base = globalThis.document?.querySelector("meta[name=base]")?.content ?? "";

/** An answer that says "error", with its type and, for queries, where. */
export class ApiError extends Error {
  constructor(message, type) {
    super(message);
    this.type = type;
  }
}

/** Asks /api/v1/PATH; parameters go in the address, or in the body of a POST. */
export async function api(path, parameters = {}, { method = "GET", signal } = {}) {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined && one !== "") form.append(name, one);
  }
  const started = performance.now();
  const get = method === "GET";
  const response = await fetch(`${base}/api/v1/${path}${get && form.size ? `?${form}` : ""}`, {
    method, signal, body: get ? undefined : form, headers: { Accept: "application/json" },
  }).catch((error) => {
    if (error.name === "AbortError") throw error;
    throw new ApiError("The server could not be reached. Is it still running?", "network");
  });
  const text = await response.text();
  let answer;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new ApiError(`${response.status} ${response.statusText}: ${text.slice(0, 500) || "empty answer"}`, "http");
  }
  if (answer.status !== "success") throw new ApiError(answer.error ?? response.statusText, answer.errorType);
  return { ...answer, milliseconds: performance.now() - started, size: text.length };
}

/** Changes something outside the API, below the page's base; an answer that refuses becomes an error with its reason. */
export async function send(method, path) {
  const response = await fetch(`${base}/${path}`, { method }).catch(() => {
    throw new ApiError("The server could not be reached. Is it still running?", "network");
  });
  if (response.ok) return;
  const reason = (await response.text()).trim().slice(0, 500);
  throw new ApiError(`The server refused (${response.status}): ${reason || response.statusText}`, "http");
}
