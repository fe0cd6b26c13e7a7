/** TypeScript's language server, as an editor talks to it. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { tsc } from "./consumer.js";

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly result?: unknown;
}

export interface LanguageServer {
  /** What is shown when the pointer is over the first place of a text in a file. */
  hover(path: string, text: string): Promise<string>;
  close(): void;
}

export async function languageServer(folder: string): Promise<LanguageServer> {
  const server = spawn(process.execPath, [tsc, "--lsp", "--stdio"], {
    cwd: folder,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const waiting = new Map<number, (result: unknown) => void>();
  let received = Buffer.alloc(0);
  let calls = 0;

  function send(message: object): void {
    const text = JSON.stringify({ jsonrpc: "2.0", ...message });
    server.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  }
  function ask(method: string, params: object): Promise<unknown> {
    const id = ++calls;
    return new Promise((resolve) => {
      waiting.set(id, resolve);
      send({ id, method, params });
    });
  }
  function take({ id, method, result }: Message): void {
    if (id === undefined) return;
    // What the server asks of an editor, as its settings, has no answer here.
    if (method !== undefined) send({ id, result: null });
    else waiting.get(id)?.(result);
  }
  server.stdout.on("data", (bytes: Buffer) => {
    received = Buffer.concat([received, bytes]);
    for (;;) {
      const end = received.indexOf("\r\n\r\n");
      const length = Number(/Content-Length: (\d+)/i.exec(received.toString("latin1", 0, end))?.[1]);
      if (end < 0 || received.length < end + 4 + length) return;
      take(JSON.parse(received.toString("utf8", end + 4, end + 4 + length)) as Message);
      received = received.subarray(end + 4 + length);
    }
  });

  const hover = { contentFormat: ["markdown"] };
  const rootUri = pathToFileURL(folder).href;
  await ask("initialize", { processId: process.pid, rootUri, capabilities: { textDocument: { hover } } });
  send({ method: "initialized", params: {} });
  return {
    async hover(path, text) {
      const uri = pathToFileURL(path).href;
      const whole = readFileSync(path, "utf8");
      send({
        method: "textDocument/didOpen",
        params: { textDocument: { uri, languageId: "typescript", version: 1, text: whole } },
      });
      const before = whole.slice(0, whole.indexOf(text)).split("\n");
      const position = { line: before.length - 1, character: (before.at(-1) ?? "").length + 1 };
      const shown = (await ask("textDocument/hover", { textDocument: { uri }, position })) as {
        contents: { value: string };
      } | null;
      send({ method: "textDocument/didClose", params: { textDocument: { uri } } });
      return shown?.contents.value ?? "";
    },
    close: () => server.kill(),
  };
}
