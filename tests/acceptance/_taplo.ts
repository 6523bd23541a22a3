/** The language server of Taplo, which Even Better TOML and other editors run, asked as an editor asks it. */
import { fromFileUrl, join, toFileUrl } from "@std/path";
import taplo from "@taplo/lsp";

/** What the server finds wrong; the line counts from 1. */
export interface Finding {
  line: number;
  message: string;
}

export interface LanguageServer extends Disposable {
  /** Opens a file with this text, and gives what the server says of it. */
  check(path: string, text: string): Promise<Finding[]>;
  /** Labels proposed where the text has `|`, with the words beside each. */
  complete(path: string, text: string): Promise<Map<string, string>>;
  /** What is shown over the text at `|`. */
  hover(path: string, text: string): Promise<string>;
}

interface Rpc {
  jsonrpc: "2.0";
  id?: string | number;
  method?: string;
  // deno-lint-ignore no-explicit-any
  params?: any;
  // deno-lint-ignore no-explicit-any
  result?: any;
  error?: { message: string };
}

/** Starts the server in this process. It reads schemas from disk, and nothing from the network. */
export async function startTaplo(root: string): Promise<LanguageServer> {
  const waiting = new Map<number, (message: Rpc) => void>();
  const diagnosed = new Map<string, (found: Finding[]) => void>();
  const versions = new Map<string, number>();
  let next = 1;
  const server = await taplo.TaploLsp.initialize({
    now: () => new Date(),
    envVar: () => undefined,
    envVars: () => [],
    stdErrAtty: () => false,
    stdin: () => Promise.resolve(new Uint8Array()),
    stdout: (bytes: Uint8Array) => Promise.resolve(bytes.length),
    stderr: (bytes: Uint8Array) => Promise.resolve(bytes.length),
    glob: () => [],
    // Without a config of its own the server of this version takes no document for one to check.
    readFile: (path: string) => path.endsWith("taplo.toml") ? Promise.resolve(new Uint8Array()) : Deno.readFile(path),
    writeFile: () => Promise.reject(new Error("the server must not write")),
    urlToFilePath: (url: string) => fromFileUrl(url),
    isAbsolute: (path: string) => /^(?:\/|[A-Za-z]:[\\/])/.test(path),
    cwd: () => root,
    findConfigFile: () => join(root, "taplo.toml"),
    fetch: { fetch: () => Promise.reject(new Error("no network")), Headers, Request, Response },
  }, {
    onMessage(message: Rpc) {
      if (Deno.env.get("TAPLO_TRACE")) console.error(JSON.stringify(message).slice(0, 600));
      if (message.id !== undefined && message.method === undefined) waiting.get(Number(message.id))?.(message);
      else if (message.id !== undefined) server.send({ jsonrpc: "2.0", id: message.id, result: [null] });
      if (message.method !== "textDocument/publishDiagnostics") return;
      const { uri, diagnostics } = message.params;
      // deno-lint-ignore no-explicit-any
      diagnosed.get(uri)?.(diagnostics.map(({ range, message }: any) => ({ line: range.start.line + 1, message })));
    },
  });
  const tell = (method: string, params: unknown) => server.send({ jsonrpc: "2.0", method, params });
  const ask = async (method: string, params: unknown): Promise<Rpc["result"]> => {
    const id = next++;
    const { promise, resolve } = Promise.withResolvers<Rpc>();
    waiting.set(id, resolve);
    server.send({ jsonrpc: "2.0", id, method, params });
    const { result, error } = await promise;
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  };
  await ask("initialize", {
    capabilities: {},
    processId: null,
    workspaceFolders: [{ uri: toFileUrl(root).href, name: "labferry" }],
  });
  tell("initialized", {});
  const open = async (path: string, text: string): Promise<Finding[]> => {
    const uri = toFileUrl(path).href;
    const { promise, resolve } = Promise.withResolvers<Finding[]>();
    // The server tells of syntax, of keys and of the schema, one after the other, and stops at what is wrong.
    let told = 0;
    diagnosed.set(uri, (found) => ++told === 3 || found.length > 0 ? resolve(found) : undefined);
    const version = (versions.get(uri) ?? 0) + 1;
    versions.set(uri, version);
    if (version === 1) tell("textDocument/didOpen", { textDocument: { uri, languageId: "toml", version, text } });
    else tell("textDocument/didChange", { textDocument: { uri, version }, contentChanges: [{ text }] });
    return await promise;
  };
  const at = (text: string) => {
    const before = text.slice(0, text.indexOf("|")).split("\n");
    return { line: before.length - 1, character: before[before.length - 1].length };
  };
  return {
    check: open,
    async complete(path, text) {
      await open(path, text.replace("|", ""));
      const items = await ask("textDocument/completion", {
        textDocument: { uri: toFileUrl(path).href },
        position: at(text),
      });
      const words = new Map<string, string>();
      for (const { label, documentation } of items ?? []) {
        words.set(label, [words.get(label), documentation?.value].filter((word) => word).join("\n"));
      }
      return words;
    },
    async hover(path, text) {
      await open(path, text.replace("|", ""));
      const shown = await ask("textDocument/hover", {
        textDocument: { uri: toFileUrl(path).href },
        position: at(text),
      });
      return shown?.contents?.value ?? "";
    },
    [Symbol.dispose]: () => server.dispose(),
  };
}
