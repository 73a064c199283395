// What was said: chunks of fifty that come and go as they are scrolled to, entries by their id.
import { ask, parsed, toast } from "./asking.js";
import { headDays, show } from "./times.js";

const NEAR = "1500px 0px";
const FAR = "4000px 0px";
const BOTTOM_PX = 80;
const GATHER_MS = 60;
const shown = new Map();
let watching = [];
let waiting;
let wanted = 0;

const thread = () => document.getElementById("thread");
const isAtEnd = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < BOTTOM_PX;
const toEnd = (box) => box.scrollTo({ top: box.scrollHeight, behavior: "instant" });

export function mount() {
  const box = thread();
  if (!box || box.dataset.mounted) return;
  box.dataset.mounted = "yes";
  for (const one of watching) one.disconnect();
  watching = [
    new IntersectionObserver((seen) => seen.forEach(older), { root: box, rootMargin: NEAR }),
    new IntersectionObserver((seen) => seen.forEach(fillOrEmpty), { root: box, rootMargin: FAR }),
  ];
  shown.clear();
  remember(box);
  headDays(box);
  toEnd(box);
  document.fonts.ready.then(() => toEnd(box));
  watch(box);
}

function remember(root) {
  for (const entry of root.querySelectorAll(".entry")) shown.set(entry.id, entry.outerHTML);
}

function watch(root) {
  for (const edge of root.querySelectorAll(".edge")) {
    watching[0].observe(edge);
    edge.querySelector("button").addEventListener("click", () => older({ target: edge, isIntersecting: true }));
  }
  for (const chunk of root.querySelectorAll(".chunk")) watching[1].observe(chunk);
}

async function older({ target: edge, isIntersecting }) {
  if (!isIntersecting || edge.dataset.asked) return;
  edge.dataset.asked = "yes";
  try {
    const fresh = parsed(await (await ask(edge.dataset.older)).text());
    const box = edge.closest(".thread");
    if (!box) return;
    remember(fresh);
    show(fresh);
    const below = box.scrollHeight - box.scrollTop;
    const added = [...fresh.children];
    edge.replaceWith(fresh);
    added.forEach(htmx.process);
    headDays(box);
    box.scrollTop = box.scrollHeight - below;
    for (const one of added) watch({ querySelectorAll: (name) => (one.matches(name) ? [one] : []) });
  } catch (error) {
    delete edge.dataset.asked;
    toast(error.message);
  }
}

async function fillOrEmpty({ target: chunk, isIntersecting }) {
  const isLast = chunk === chunk.parentElement?.lastElementChild;
  if (!isIntersecting && !isLast && chunk.children.length) {
    chunk.style.blockSize = `${chunk.getBoundingClientRect().height}px`;
    chunk.replaceChildren();
  } else if (isIntersecting && chunk.style.blockSize) {
    const fresh = parsed(await (await ask(chunk.dataset.url)).text()).querySelector(".chunk");
    if (!chunk.style.blockSize) return;
    show(fresh);
    chunk.replaceChildren(...fresh.children);
    htmx.process(chunk);
    chunk.style.blockSize = "";
    headDays(chunk.parentElement);
  }
}

// Several events of one moment are one request.
export function renew(position) {
  wanted = Math.max(wanted, position);
  clearTimeout(waiting);
  waiting = setTimeout(fetchNewest, GATHER_MS);
}

async function fetchNewest() {
  const box = thread();
  if (!box) return;
  try {
    const of = `/desk/conversations/${box.dataset.id}`;
    const fresh = parsed(await (await ask(`${of}/entries?min_position=${wanted}`)).text());
    if (box === thread()) merge(box, [...fresh.querySelectorAll(".entry")]);
  } catch (error) {
    toast(error.message);
  }
}

function merge(box, entries) {
  const wasAtEnd = isAtEnd(box);
  for (const entry of entries) {
    const raw = entry.outerHTML;
    if (shown.get(entry.id) === raw) continue;
    shown.set(entry.id, raw);
    const old = document.getElementById(entry.id);
    if (old) old.replaceWith(entry);
    else {
      entry.classList.add("new");
      insert(box, entry);
    }
    show(entry);
    htmx.process(entry);
  }
  headDays(box);
  if (wasAtEnd) toEnd(box);
}

function insert(box, entry) {
  const chunk = [...box.querySelectorAll(".chunk")].at(-1);
  const key = (one) => [new Date(one.dataset.at).getTime(), Number(one.dataset.number)];
  const [at, number] = key(entry);
  const next = [...chunk.children].find((one) => {
    const [its, its_number] = key(one);
    return its > at || (its === at && its_number > number);
  });
  chunk.insertBefore(entry, next ?? null);
}
