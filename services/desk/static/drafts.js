// What is typed, per person and conversation, until it is sent or they sign out.
const PREFIX = "tamas.desk.draft.";
const EMPTY = { text: "", via: "", reason: "", command: "", seen: "", files: [], signature: "" };

const key = (id) => `${PREFIX}${document.body.dataset.agent}.${id}`;

export function draft(id) {
  try {
    return { ...EMPTY, ...JSON.parse(localStorage.getItem(key(id)) ?? "{}") };
  } catch {
    return { ...EMPTY };
  }
}

export function keep(id, given) {
  if (given.text || given.via || given.files.length) localStorage.setItem(key(id), JSON.stringify(given));
  else localStorage.removeItem(key(id));
}

export function forget(id) {
  localStorage.removeItem(key(id));
}

export function wipe() {
  for (const name of Object.keys(localStorage)) if (name.startsWith(PREFIX)) localStorage.removeItem(name);
}
