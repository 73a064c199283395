// Who else is at this conversation: told while it is so, forgotten soon after.
import { ask } from "./asking.js";

const WRITING_MS = 5000;
const READING_MS = 20_000;
const FORGET_MS = { writing: 9000, reading: 26_000 };
const here = new Map();
let of = "";
let told = 0;
let last = "";

function tell(doing) {
  told = Date.now();
  last = doing;
  ask("/desk/presence", { conversation: of, doing }).catch(() => {});
}

export function enter(id) {
  of = id;
  here.clear();
  paint();
  tell("reading");
}

export function writes() {
  if (last !== "writing" || Date.now() - told > WRITING_MS) tell("writing");
}

export function hear({ id, who, name, doing }) {
  if (id !== of || who === document.body.dataset.agent) return;
  here.set(who, { name, doing, until: Date.now() + FORGET_MS[doing] });
  paint();
}

function paint() {
  const shown = document.getElementById("presence");
  for (const [who, { until }] of here) if (until < Date.now()) here.delete(who);
  const people = [...here.values()].sort((one, other) => (one.doing < other.doing ? 1 : -1));
  const words = people.map(({ name, doing }) => shown.dataset[doing].replace("%", name)).join(" ");
  if (shown.textContent !== words) shown.textContent = words;
  shown.hidden = !words;
}

setInterval(() => {
  paint();
  if (of && !document.hidden && Date.now() - told > READING_MS) tell("reading");
}, 1000);
