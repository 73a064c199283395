// Browsers hold six connections to a host: all tabs share this one.
import { Source } from "./live-source.js";

const ports = new Set();
let source;

function tellAll(message) {
  for (const port of ports) port.postMessage(message);
}

addEventListener("connect", ({ ports: [port] }) => {
  port.onmessage = ({ data }) => {
    if (data.bye) {
      ports.delete(port);
      return;
    }
    ports.add(port);
    source ??= new Source(data.after, tellAll);
    source.greet(data.after, (message) => port.postMessage(message));
  };
});
