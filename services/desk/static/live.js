import { Source } from "./live-source.js";

// What changes is told to `hear`, the state of the connection to `state`.
export function listen(hear, state) {
  const after = Number(document.body.dataset.position);
  const tell = (message) => (message.frame ? hear(message.frame) : state(message.state));
  if (!globalThis.SharedWorker) {
    new Source(after, tell);
    return;
  }
  const name = `desk/${document.body.dataset.agent}/${document.documentElement.lang}`;
  const { port } = new SharedWorker(document.body.dataset.worker, { type: "module", name });
  port.onmessage = ({ data }) => tell(data);
  port.postMessage({ after });
  addEventListener("pagehide", () => port.postMessage({ bye: true }));
  addEventListener("pageshow", ({ persisted }) => persisted && port.postMessage({ after }));
}
