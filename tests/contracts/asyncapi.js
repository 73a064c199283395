// Reads an AsyncAPI document from stdin; prints what the official parser says against it, one finding a line.
import { text } from "node:stream/consumers";
import { Parser } from "@asyncapi/parser";

const { diagnostics } = await new Parser().parse(await text(process.stdin));
for (const { severity, message, path } of diagnostics) {
  console.log(`${["error", "warning", "information", "hint"][severity]} ${message} at ${path.join(".")}`);
}
