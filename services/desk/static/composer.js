// The answer: never in a part of the page that is exchanged. What is typed survives everything but sign-out.
import * as attaching from "./attaching.js";
import { ask, parsed, toast } from "./asking.js";
import * as drafts from "./drafts.js";
import { renew } from "./thread.js";
import { number, show } from "./times.js";

const PREVIEW_MS = 250;
const part = (name) => document.getElementById(name);
let of = "";
let asking;
let timer;
let undoing;

// Called whenever a head is shown: another conversation's, or this one's as it is now.
export function attach(changed) {
  const head = part("head");
  const composer = part("composer");
  composer.hidden = !head || head.dataset.state === "closed";
  if (!head || head.dataset.id === of) return;
  of = head.dataset.id;
  changed(of);
  const kept = drafts.draft(of);
  part("answer").value = kept.text;
  choose(kept.via, kept.reason);
  attaching.open(of, kept.files);
  fail("");
  part("kept").textContent = kept.text ? part("kept").dataset.kept : "";
  part("way").replaceChildren();
  preview(0);
}

function typed() {
  return { text: part("answer").value, via: part("via").value, reason: part("reason").value };
}

function note() {
  const before = drafts.draft(of);
  const now = typed();
  const signature = attaching.signature();
  const same = [...Object.keys(now), "signature"].every((name) => before[name] === { ...now, signature }[name]);
  const kept = {
    ...now,
    files: attaching.names(),
    signature,
    // The same text again is the same message, however often it has to be asked for.
    command: same && before.command ? before.command : crypto.randomUUID(),
    seen: before.text || before.signature ? before.seen : part("head").dataset.state,
  };
  drafts.keep(of, kept);
  part("kept").textContent = now.text ? part("kept").dataset.kept : "";
  return kept;
}

export function input() {
  note();
  fail("");
  preview(PREVIEW_MS);
}

function preview(after) {
  clearTimeout(timer);
  timer = setTimeout(look, after);
}

async function look() {
  asking?.abort();
  asking = new AbortController();
  const { signal } = asking;
  const way = part("way");
  try {
    const answer = await ask(`/desk/conversations/${of}/preview`, { ...typed(), count: attaching.files().length }, { signal });
    const html = await answer.text();
    const isOpen = part("ways")?.open;
    way.replaceChildren(parsed(html));
    show(way);
    if (isOpen && part("ways")) part("ways").open = true;
  } catch (error) {
    if (error.name !== "AbortError") way.replaceChildren(said(error.message));
  }
}

function said(sentence) {
  const shown = document.createElement("p");
  shown.className = "note alert";
  shown.textContent = sentence;
  return shown;
}

export function choose(via, reason = "") {
  part("via").value = via;
  part("reason").value = reason;
  part("override").hidden = !via;
}

export function pick(via) {
  choose(via);
  if (via) part("reason").focus();
  input();
}

function fail(sentence) {
  part("composer-error").textContent = sentence;
  part("composer-error").hidden = !sentence;
}

export async function send() {
  const sent = note();
  const to = of;
  const files = attaching.files();
  if ((!sent.text.trim() && !files.length) || part("send").disabled) return;
  part("send").disabled = true;
  part("kept").textContent = part("kept").dataset.sending;
  try {
    const { text, via, reason, command, seen } = sent;
    const answer = await ask(`/desk/conversations/${to}/messages`, attaching.form(to, { text, via, reason, command, seen }));
    const { message_id, position, undo_seconds } = await answer.json();
    drafts.forget(to);
    attaching.put(to, []);
    if (of === to) clear();
    offerUndo({ id: message_id, to, sent, files, until: Date.now() + undo_seconds * 1000 });
    renew(position);
  } catch (error) {
    part("kept").textContent = part("kept").dataset.kept;
    if (of === to) fail(error.message);
    else toast(error.message);
    // They were told what happened; their next try knows it.
    if (error.status === 409) drafts.keep(to, { ...sent, seen: part("head").dataset.state });
  } finally {
    part("send").disabled = false;
  }
}

function clear() {
  part("answer").value = "";
  choose("");
  fail("");
  part("kept").textContent = part("kept").dataset.recorded;
  preview(0);
}

function offerUndo(message) {
  clearInterval(undoing?.clock);
  undoing = message;
  undoing.clock = setInterval(count, 250);
  part("undo").hidden = false;
  count();
}

function count() {
  const left = Math.ceil((undoing.until - Date.now()) / 1000);
  const text = part("undo-text");
  const words = text.dataset.text.replace("%", number(Math.max(0, left)));
  if (text.textContent !== words) text.textContent = words;
  if (left <= 0) endUndo();
}

function endUndo() {
  clearInterval(undoing?.clock);
  part("undo").hidden = true;
}

export async function undo() {
  const { id, to, sent, files } = undoing;
  endUndo();
  try {
    const answer = await ask(`/desk/messages/${id}/withdraw`, { command: crypto.randomUUID() });
    const { position } = await answer.json();
    // Another message, should it be sent again.
    drafts.keep(to, { ...sent, command: "", seen: "" });
    const isFree = !attaching.files(to).length && (of !== to || !part("answer").value);
    if (isFree) attaching.put(to, files);
    if (of === to && isFree) {
      part("answer").value = sent.text;
      choose(sent.via, sent.reason);
      note();
      preview(0);
      part("answer").focus();
    }
    part("kept").textContent = part("kept").dataset.takenBack;
    renew(position);
  } catch (error) {
    toast(error.message);
  }
}
