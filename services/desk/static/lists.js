// The lists. While one has the keyboard nothing moves under it: what left is faded, what came is put at the end.
import { ask, parsed, swap, toast } from "./asking.js";
import { number, show } from "./times.js";

const me = document.body.dataset.agent;
const JITTER_MS = 1500;
let asked = 0;

const lists = () => document.getElementById("lists");
const isHeld = () => lists().contains(document.activeElement) && document.activeElement.closest(".row");

function placeOf({ state, taken }) {
  const { which } = lists().dataset;
  if (which !== "waiting") return state === which ? which : null;
  if (taken === me && state !== "closed") return "mine";
  return state === "waiting" ? "waiting" : null;
}

function comesBefore(one, other) {
  if (one.dataset.state !== other.dataset.state) return one.dataset.state === "waiting";
  if (one.dataset.since !== other.dataset.since) return new Date(one.dataset.since) < new Date(other.dataset.since);
  return Number(one.dataset.number) < Number(other.dataset.number);
}

function put(row, list, atEnd) {
  const others = [...list.querySelectorAll(".row")].filter((one) => one !== row);
  const next = atEnd ? null : others.find((one) => comesBefore(row, one));
  const more = list.querySelector(".more-row");
  if (!next && more && !list.contains(row)) return;
  list.insertBefore(row, next ?? more);
}

export function mark(root = lists()) {
  const open = document.getElementById("head")?.dataset.id;
  for (const row of root.querySelectorAll(".row")) {
    row.classList.toggle("is-mine", row.dataset.taken === me);
    row.classList.toggle("open", row.dataset.id === open);
    const link = row.querySelector("a");
    if (row.dataset.id === open) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  for (const count of document.querySelectorAll("[data-count]")) {
    const list = document.getElementById(`list-${count.dataset.count}`);
    const many = list.querySelectorAll(".row:not(.gone)").length;
    count.textContent = number(many) + (list.querySelector(".more-row") ? "+" : "");
  }
}

function renew(row, fresh) {
  for (const name of ["state", "taken", "since", "number", "position"]) row.dataset[name] = fresh.dataset[name];
  // The link stays: it may have the keyboard.
  row.querySelector("a").replaceChildren(...fresh.querySelector("a").childNodes);
  row.classList.remove("gone");
}

export function place(html) {
  const fresh = parsed(html).querySelector(".row");
  if (!fresh || !lists()) return;
  let row = document.getElementById(fresh.id);
  if (row && Number(row.dataset.position) > Number(fresh.dataset.position)) return;
  const name = placeOf(fresh.dataset);
  const held = isHeld();
  if (row) renew(row, fresh);
  else if (name) {
    row = fresh;
    row.classList.add("new");
  } else return;
  const list = name && document.getElementById(`list-${name}`);
  // Their own doing: it goes to its place, and the keyboard with it.
  const isOwn = name === "mine" && held === row;
  if (row.parentElement === list) {
    if (!held) put(row, list, false);
  } else if (row.parentElement && held && !isOwn) row.classList.add("gone");
  else if (list) {
    put(row, list, Boolean(held) && !isOwn);
    htmx.process(row);
    if (isOwn) row.querySelector("a").focus();
  } else row.remove();
  show(row);
  mark();
}

// What could not be moved while the keyboard was here.
export function settle() {
  if (!lists() || isHeld()) return;
  for (const row of [...lists().querySelectorAll(".row")]) {
    const name = placeOf(row.dataset);
    if (!name) row.remove();
    else put(row, document.getElementById(`list-${name}`), false);
    row.classList.remove("gone", "new");
  }
  mark();
}

export function late(ids, position) {
  for (const id of ids) {
    setTimeout(async () => {
      try {
        place(await (await ask(`/desk/rows/${id}?min_position=${position}`)).text());
      } catch (error) {
        toast(error.message);
      }
    }, Math.random() * JITTER_MS);
  }
}

async function bring(which) {
  asked += 1;
  const mine = asked;
  const html = await (await ask(`/desk/lists/${which}`)).text();
  if (mine !== asked) return false;
  swap(document.getElementById("queue"), html, "innerHTML");
  return true;
}

export async function reload() {
  const focused = document.activeElement.closest?.(".row")?.id;
  if (await bring(lists().dataset.which)) document.querySelector(`#${CSS.escape(focused ?? "none")} a`)?.focus();
}

export function go(step) {
  const links = [...lists().querySelectorAll(".row a")];
  const at = links.findIndex((link) => link === document.activeElement);
  const from = at >= 0 ? at : links.findIndex((link) => link.matches(".open a"));
  links[Math.max(0, Math.min(links.length - 1, from + step))]?.focus();
}

export async function show_list(which, first = which) {
  if (lists().dataset.which !== which && !(await bring(which))) return;
  (document.querySelector(`#list-${first} .row a`) ?? lists()).focus();
}
