// Requests, with the token if there is one, and the stream of events.

let token = sessionStorage.getItem("flowrun-token") ?? "";

export function set_token(value) {
  token = value;
  sessionStorage.setItem("flowrun-token", value);
}

export class Refused extends Error {
  constructor(status, error) {
    super(error?.message ?? `status ${status}`);
    this.status = status;
    this.text = error?.text ?? this.message;
  }
}

export async function ask(path, options = {}) {
  const headers = { ...(options.headers ?? {}) };
  if (token) headers.Authorization = `Bearer ${token}`;
  const response = await fetch(path, { ...options, headers, cache: "no-store" });
  if (response.ok) return response;
  const body = await response.json().catch(() => null);
  throw new Refused(response.status, body?.error);
}

export const ask_json = async (path, options) => (await ask(path, options)).json();

// Calls heard(name, data) for each event until the stream ends.
export async function listen(path, heard) {
  const response = await ask(path);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      hear(text.slice(0, end), heard);
      text = text.slice(end + 2);
    }
  }
}

function hear(block, heard) {
  let name = "message";
  const data = [];
  for (const line of block.split("\n")) {
    if (line.startsWith("event: ")) name = line.slice(7);
    if (line.startsWith("data: ")) data.push(line.slice(6));
  }
  if (data.length > 0) heard(name, JSON.parse(data.join("\n")));
}
