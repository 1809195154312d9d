// Requests to this server, with the key of this tab.

const STORED = "shgat-key";

export function takeKeyFromAddress() {
  const given = new URLSearchParams(location.hash.slice(1)).get("key");
  if (given) {
    sessionStorage.setItem(STORED, given);
    history.replaceState(null, "", location.pathname);
  }
}

export const hasKey = () => Boolean(sessionStorage.getItem(STORED));
export const useKey = (key) => sessionStorage.setItem(STORED, key);

export class Refused extends Error {
  constructor(problem) {
    super(problem.detail || problem.title || "the request failed");
    this.status = problem.status;
    this.type = problem.type || "";
  }
}

export async function ask(path, body) {
  const key = sessionStorage.getItem(STORED);
  const headers = key ? { authorization: `Bearer ${key}` } : {};
  const options = { headers };
  if (body !== undefined) {
    options.method = "POST";
    headers["content-type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Refused({ detail: "the server does not answer", status: 0 });
  }
  const found = await answer.json().catch(() => ({ status: answer.status }));
  if (!answer.ok) throw new Refused(found);
  return found;
}
