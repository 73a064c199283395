// One stream of what changes, for as many pages as listen.
const MOST_KEPT = 1000;
const FIRST_MS = 1000;
const LAST_MS = 30_000;

export class Source {
  constructor(after, tell) {
    this.tell = tell;
    this.from = this.last = after;
    this.kept = [];
    this.tries = 0;
    this.state = "connecting";
    this.open();
  }

  open() {
    this.events = new EventSource(`/desk/stream?after=${this.last}`);
    this.events.onopen = () => {
      this.tries = 0;
      this.say("live");
    };
    this.events.onmessage = (event) => this.hear(event);
    this.events.onerror = () => {
      this.say("lost");
      if (this.events.readyState === EventSource.CLOSED) setTimeout(() => this.open(), this.pause());
    };
  }

  pause() {
    const most = Math.min(LAST_MS, FIRST_MS * 2 ** this.tries++);
    return most * (0.5 + Math.random() / 2);
  }

  say(state) {
    this.state = state;
    this.tell({ state });
  }

  hear(event) {
    if (event.lastEventId) this.last = Number(event.lastEventId);
    const frame = JSON.parse(event.data);
    if (frame.kind === "resync") this.forget(this.last);
    else if (frame.position) this.keep(frame);
    this.tell({ frame });
  }

  keep(frame) {
    this.kept.push(frame);
    if (this.kept.length > MOST_KEPT) this.from = this.kept.shift().position;
  }

  forget(position) {
    this.kept = [];
    this.from = position;
  }

  greet(after, tell) {
    tell({ state: this.state });
    if (after < this.from) tell({ frame: { kind: "resync" } });
    else for (const frame of this.kept) if (frame.position > after) tell({ frame });
  }
}
