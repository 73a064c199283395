// Requests of our own, with the token of this page; what goes wrong is a sentence.
const SHOWN_MS = 8000;

export class Failed extends Error {
  constructor(sentence, status) {
    super(sentence);
    this.status = status;
  }
}

export async function ask(path, given, more = {}) {
  const post = given && { method: "POST", body: given instanceof FormData ? given : new URLSearchParams(given), headers: { "X-CSRF-Token": document.body.dataset.csrf } };
  let answer;
  try {
    answer = await fetch(path, { credentials: "same-origin", ...post, ...more });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failed(document.getElementById("line").dataset.lost, 0);
  }
  if (answer.status === 401) location.assign("/desk/sign-in");
  if (!answer.ok) throw new Failed(await answer.text(), answer.status);
  return answer;
}

export function toast(sentence) {
  if (!sentence) return;
  const shown = document.createElement("p");
  shown.className = "toast";
  shown.textContent = sentence;
  document.getElementById("toasts").append(shown);
  setTimeout(() => shown.remove(), SHOWN_MS);
}

export function parsed(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  return holder.content;
}

// As htmx does it. `htmx.ajax` says that it is done when it has put a request behind another one, or drops it there.
export function swap(target, html, swapStyle) {
  htmx.swap(target, html, { swapStyle }, { eventInfo: { target } });
}
