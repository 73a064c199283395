// The chat of Tamas. data-visitor, data-proof: who is signed in. data-language: fa, en. data-theme: light, dark.
// data-title, data-greeting and so on: your WORDS. Colours: --tamas-accent, …
(() => {
  'use strict';
  const tag = document.currentScript;
  if (!tag || document.querySelector('tamas-chat')) return;

  const WORDS = {
    en: {
      title: 'Chat with us', greeting: 'Hello! How can we help?', open: 'Open the chat', close: 'Close the chat',
      write: 'Write a message', send: 'Send', visitor: 'You', agent: 'Us', sent: 'Sent', failed: 'Not sent',
      waiting: 'Waiting to be sent', news: 'New messages',
      away: 'No connection. What you write is sent later.', ended: 'The chat is not available here.',
    },
    fa: {
      title: 'گفتگو با ما', greeting: 'سلام! چه کمکی از ما برمی‌آید؟', open: 'گفتگو', close: 'بستن گفتگو',
      write: 'پیام شما', send: 'ارسال', visitor: 'شما', agent: 'ما', sent: 'ارسال شد', failed: 'ارسال نشد',
      waiting: 'در انتظار ارسال', news: 'پیام‌های تازه',
      away: 'ارتباط برقرار نیست. نوشتهٔ شما بعد فرستاده می‌شود.', ended: 'گفتگو اکنون در دسترس نیست.',
    },
  };
  const base = tag.src.replace(/\/widget\.js.*$/, '');
  const { visitor: user, proof = null, language, theme } = tag.dataset;
  const lang = /^fa/i.test(language || document.documentElement.lang || navigator.language) ? 'fa' : 'en';
  const words = { ...WORDS[lang], ...tag.dataset, visitor: WORDS[lang].visitor };

  // Each waiting message has a key of its own, so that no tab overwrites another's.
  let kept = {};
  try { kept = localStorage ?? kept; } catch { /* forbidden: this page alone remembers */ }
  const inbox = `tamas/${base.split('/').pop()}/`;
  const space = inbox + (user ? `u.${encodeURIComponent(user)}/` : 'v/');
  const load = (key) => JSON.parse(kept[space + key] ?? null);
  const drop = (key) => delete kept[space + key];
  const keep = (key, value) => {
    try { kept[space + key] = JSON.stringify(value); } catch { /* it is full: the same */ }
  };
  // Whoever signs out leaves nothing behind for the next person.
  for (const key of Object.keys(kept)) if (key.startsWith(`${inbox}u.`) && !key.startsWith(space)) delete kept[key];

  let visitor = user || load('visitor');
  let last = 0;
  let read = load('read') ?? 0; // the last number that the visitor had before their eyes
  let told = {}, telling = 0; // up to where the hub knows what was shown and read
  const lines = new Map(); // by id; a line without a number waits to be sent

  let socket = null, welcomed = false, inFlight = null, tries = 0, again = 0, watch = 0, ended = false;

  const post = (frame) => socket.send(JSON.stringify(frame));

  function expect(seconds) { // a dead connection tells nothing by itself
    clearTimeout(watch);
    if (seconds) watch = setTimeout(() => lost(0), seconds * 1000);
  }

  function connect() {
    if (socket || ended || !navigator.onLine) return;
    clearTimeout(again);
    socket = new WebSocket(`${base.replace(/^http/, 'ws')}/socket`, 'tamas.chat.v1');
    socket.onopen = () => post({ t: 'hello', visitor, proof, after: last });
    socket.onmessage = (event) => hear(JSON.parse(event.data));
    socket.onclose = (event) => lost(event.code);
    expect(15);
  }

  const resume = () => (visitor || waiting().length) && connect();

  function hangUp() {
    expect(0);
    if (socket) socket.onopen = socket.onmessage = socket.onclose = null;
    socket?.close();
    socket = inFlight = null;
    welcomed = false;
  }

  function lost(code) {
    hangUp();
    ended = code === 4404 || (code === 4401 && user);
    if (code === 4401 && !user) startOver(null);
    const pause = code === 4429 ? 10000 : Math.min(30000, 1000 * 2 ** tries++);
    if (!ended) again = setTimeout(connect, pause * (0.5 + Math.random() / 2));
    tell();
  }

  function startOver(id) { // another thread; what waits stays and goes there
    visitor = id;
    last = 0;
    keep('read', read = 0);
    for (const line of lines.values()) if (line.number) { line.node.remove(); lines.delete(line.id); }
    if (!user) keep('visitor', id);
    save();
  }

  function adopt(id) {
    hangUp();
    startOver(id);
    connect();
  }

  function hear(frame) {
    if (frame.t === 'welcome') welcome(frame);
    else if (frame.t === 'ack') settle(frame.id, frame);
    else if (frame.t === 'message') settle(frame.id || `#${frame.number}`, { ...frame, at: Date.parse(frame.occurred_at) });
    else if (frame.t === 'error' && frame.id) settle(frame.id, { failed: frame.detail });
  }

  function welcome(frame) {
    const known = !user && load('visitor');
    if (known && known !== frame.visitor) return adopt(known); // another tab was faster: its thread is ours
    if (frame.last < last) startOver(frame.visitor);
    visitor = frame.visitor;
    told = { shown: 0, read: frame.read ?? 0 };
    read = Math.max(read, told.read);
    if (!user) keep('visitor', visitor);
    welcomed = true;
    tries = 0;
    expect(0);
    flush();
    tell();
  }

  function settle(id, found) {
    const isNew = !lines.has(id);
    const line = { id, from: 'visitor', text: '', at: Date.now(), ...lines.get(id), ...found };
    if (isNew && !line.number) return;
    if (line.number) last = Math.max(last, line.number);
    show(line);
    drop(`q.${id}`);
    save();
    if (inFlight === id) {
      inFlight = null;
      expect(0);
      flush();
    }
    tell();
  }

  const place = (line) => line.number || Infinity;
  const order = (a, b) => place(a) - place(b) || a.at - b.at;
  const inOrder = () => [...lines.values()].sort(order);
  const answers = () => [...lines.values()].filter((line) => line.from === 'agent' && line.number);
  const waiting = () => inOrder().filter((line) => !line.number && !line.failed);

  function flush() {
    const [next] = waiting();
    if (!welcomed || inFlight || !next) return;
    inFlight = next.id;
    post({ t: 'message', id: next.id, text: next.text });
    expect(15);
  }

  function confirm() { // once a while, however much comes at once
    telling = 0;
    if (!welcomed) return;
    const numbers = answers().map((line) => line.number);
    const [seen, shown] = [read, Infinity].map((most) => Math.max(0, ...numbers.filter((number) => number <= most)));
    if (seen > told.read) post({ t: 'seen', number: told.read = seen, read: true });
    if (shown > Math.max(told.shown, seen)) post({ t: 'seen', number: told.shown = shown });
  }

  const save = () => keep('thread', inOrder().filter((line) => line.number).slice(-100));

  function newId() { // randomUUID is there on https only
    const bytes = [...crypto.getRandomValues(new Uint8Array(16))];
    const hex = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
    return hex.replace(/(.{8})(.{4}).(.{3}).(.{3})(.{12})/, '$1-$2-4$3-a$4-$5');
  }

  function write(text) {
    const line = { id: newId(), from: 'visitor', text, at: Date.now() };
    keep(`q.${line.id}`, line);
    show(line);
    log.scrollTop = log.scrollHeight;
    connect();
    flush();
    tell();
  }

  function el(name, props = {}, ...children) {
    const node = document.createElement(name);
    for (const key in props) key in node ? node[key] = props[key] : node.setAttribute(key, props[key]);
    node.append(...children);
    return node;
  }

  function icon(d) {
    const [svg, drawn] = ['svg', 'path'].map((name) => document.createElementNS('http://www.w3.org/2000/svg', name));
    svg.setAttribute('viewBox', '0 0 24 24');
    drawn.setAttribute('d', d);
    svg.append(drawn);
    return svg;
  }

  const host = el('tamas-chat');
  const shadow = host.attachShadow({ mode: 'open' });
  const sheet = new CSSStyleSheet(); // no site's Content-Security-Policy forbids it
  sheet.replaceSync(`
    :host { all: initial !important; }
    * { box-sizing: border-box; margin: 0; }
    .box {
      --accent: var(--tamas-accent, light-dark(#0b6b53, #6fd6b4));
      --on-accent: var(--tamas-on-accent, light-dark(#fff, #06231a));
      --ground: var(--tamas-ground, light-dark(#fff, #1a2220));
      --ink: var(--tamas-ink, light-dark(#15211d, #e6edea));
      --quiet: color-mix(in srgb, var(--ink) 72%, var(--ground));
      --soft: color-mix(in srgb, var(--ink) 8%, var(--ground));
      color-scheme: light dark; color: var(--ink); font: 16px/1.6 var(--tamas-font, Vazirmatn, Inter, system-ui, sans-serif);
    }
    [hidden] { display: none !important; }
    .unseen { position: absolute; inline-size: 1px; overflow: hidden; clip-path: inset(50%); }
    button { border: 0; padding: 10px; color: inherit; background: none; cursor: pointer; border-radius: 12px; }
    svg { display: block; inline-size: 24px; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; }
    [dir=rtl] svg { transform: scaleX(-1); }
    .launcher, .panel { position: fixed; z-index: var(--tamas-layer, 9999); inset: auto auto 20px 20px;
      box-shadow: 0 8px 32px #0005; }
    [dir=ltr] :is(.launcher, .panel) { inset: auto 20px 20px auto; }
    .launcher, .send, header, .visitor p { background: var(--accent); color: var(--on-accent); }
    .launcher { padding: 16px; border-radius: 50%; }
    .badge { position: absolute; inset: -4px -4px auto auto; padding: 0 7px; border-radius: 11px; font: 13px/22px sans-serif;
      background: #b3261e; color: #fff; }
    :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
    .panel :focus-visible { outline-offset: -3px; }
    .send:focus-visible, header :focus-visible { outline-color: var(--on-accent); }
    .panel { margin-block-end: 68px; inline-size: min(380px, 100vw - 40px); block-size: min(560px, 100dvh - 108px);
      overflow: hidden; background: var(--ground); border: 1px solid var(--quiet); border-radius: 16px; }
    .panel, .log { display: flex; flex-direction: column; }
    header { display: flex; align-items: center; justify-content: space-between; padding: 6px; }
    h2 { margin-inline: 12px; font-size: 17px; }
    .log { flex: 1; overflow-y: auto; padding: 16px; gap: 10px; }
    .line { max-inline-size: 85%; align-self: start; }
    .line.visitor { align-self: end; text-align: end; }
    .line p { padding: 8px 14px; border-radius: 14px; border: 1px solid transparent; white-space: pre-wrap; text-align: start;
      overflow-wrap: anywhere; }
    .agent p, .state { background: var(--soft); }
    .agent p { border-end-start-radius: 4px; }
    .visitor p { border-end-end-radius: 4px; }
    .line:is(.waiting, .failed) p { background: none; color: inherit; border: 1px dashed var(--quiet); }
    small { padding-inline: 4px; font-size: 13px; color: var(--quiet); }
    .state:not(:empty) { padding: 4px 16px; font-size: 14px; }
    form { display: flex; align-items: end; gap: 8px; padding: 10px; }
    textarea { flex: 1; min-inline-size: 0; padding: 8px 12px; font: inherit; color: inherit; background: none; resize: none;
      border: 1px solid var(--quiet); border-radius: 12px; field-sizing: content; max-block-size: 132px;
      unicode-bidi: plaintext; text-align: start; }
    ::placeholder { color: var(--quiet); opacity: 1; }
    @media (max-width: 480px) {
      .box .panel { inset: 0; margin: 0; inline-size: auto; block-size: auto; border: 0; border-radius: 0; }
      .panel:not([hidden]) + .launcher { display: none; }
    }`);
  shadow.adoptedStyleSheets = [sheet];

  const log = el('div', { className: 'log', tabIndex: 0, role: 'log', 'aria-label': words.title });
  const state = el('p', { className: 'state', role: 'status' });
  const text = el('textarea', { rows: 1, maxLength: 4000, placeholder: words.write, 'aria-label': words.write });
  const form = el('form', {}, text,
    el('button', { className: 'send', 'aria-label': words.send }, icon('M4 12h15m-6-6 6 6-6 6')));
  const shut = el('button', { 'aria-label': words.close }, icon('M6 6l12 12M18 6 6 18'));
  const panel = el('section', { className: 'panel', hidden: true, role: 'dialog', 'aria-label': words.title },
    el('header', {}, el('h2', {}, words.title), shut), log, state, form);
  const badge = el('span', { className: 'badge' });
  const launcher = el('button', { className: 'launcher' }, icon('M4 5h16v11H9l-5 4z'), badge);
  const news = el('p', { className: 'unseen', role: 'status' }); // heard while the chat is closed
  const box = el('div', { className: 'box', lang, dir: lang === 'fa' ? 'rtl' : 'ltr' }, panel, launcher, news);
  if (theme) box.style.colorScheme = theme;
  shadow.append(box);

  function time(at) {
    const isToday = new Date(at).toDateString() === new Date().toDateString();
    return new Date(at).toLocaleString(lang, { timeStyle: 'short', ...(!isToday && { dateStyle: 'medium' }) });
  }

  function show(line) {
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
    line.node ??= el('div', {}, el('span', { className: 'unseen' }, `${words[line.from]}: `),
      el('p', { dir: 'auto' }, line.text), el('small'));
    const is = line.failed ? 'failed' : line.number ? 'sent' : 'waiting';
    line.node.className = `line ${line.from} ${is}`;
    const told = [time(line.at), line.from === 'visitor' && words[is], line.failed];
    line.node.lastChild.textContent = told.filter(Boolean).join(' · ');
    lines.set(line.id, line);
    const next = inOrder().find((one) => order(line, one) < 0)?.node ?? null;
    if (!line.node.isConnected || (line.number && line.node.nextSibling !== next)) log.insertBefore(line.node, next);
    if (atEnd) log.scrollTop = log.scrollHeight;
  }

  const put = (node, said) => { if (node.textContent !== said) node.textContent = said; }; // a repeat is not read aloud

  function tell() {
    const isOut = !welcomed && (tries > 0 || !navigator.onLine);
    const trouble = ended ? words.ended : isOut ? words.away : '';
    if (!panel.hidden && !document.hidden && last > read) keep('read', read = last);
    const unread = answers().filter((line) => line.number > read).length;
    badge.hidden = !unread;
    badge.textContent = unread.toLocaleString(lang);
    put(state, trouble);
    put(news, panel.hidden && unread ? `${words.news}: ${badge.textContent}` : '');
    telling ||= setTimeout(confirm, 500);
    launcher.ariaExpanded = !panel.hidden;
    launcher.ariaLabel = panel.hidden ? words.open + (unread ? ` (${badge.textContent})` : '') : words.close;
  }

  function toggle(isOpen, focus = true) {
    panel.hidden = !isOpen;
    if (isOpen) log.scrollTop = log.scrollHeight;
    if (focus) (isOpen ? text : launcher).focus();
    keep('open', isOpen);
    tell();
  }

  function submit() {
    const written = text.value.trim();
    if (!written) return;
    write(written);
    text.value = '';
    drop('draft');
  }

  launcher.onclick = () => toggle(panel.hidden);
  shut.onclick = () => toggle(false);
  panel.onkeydown = (event) => { if (event.key === 'Escape') toggle(false); };
  form.onsubmit = (event) => { event.preventDefault(); submit(); text.focus(); };
  text.oninput = () => keep('draft', text.value);
  text.onkeydown = (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  };

  addEventListener('online', () => { tries = 0; resume(); });
  addEventListener('offline', () => lost(0));
  document.addEventListener('visibilitychange', tell);
  addEventListener('storage', ({ key, newValue }) => { // another tab of this visitor
    if (!key || !key.startsWith(space) || newValue === null) return;
    const what = key.slice(space.length);
    if (what.startsWith('q.') && !lines.has(what.slice(2))) show(load(what));
    if (what === 'read') read = load(what);
    if (what === 'visitor' && load(what) !== visitor) adopt(load(what));
    tell();
  });

  log.append(el('div', { className: 'line agent' }, el('p', { dir: 'auto' }, words.greeting)));
  for (const line of load('thread') ?? []) {
    last = line.number;
    show({ ...line, node: null });
  }
  for (const key of Object.keys(kept)) if (key.startsWith(`${space}q.`)) show(load(key.slice(space.length)));
  text.value = load('draft') ?? '';
  function start() {
    document.body.append(host);
    if (load('open')) toggle(true, false);
    tell();
    resume();
  }
  if (document.body) start();
  else addEventListener('DOMContentLoaded', start);
})();
