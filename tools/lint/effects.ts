/**
 * Rules on effects: who may touch the process, the console, files, the network and time.
 * @module
 */
import { isProduct, literalText, memberName, repositoryPath } from "./_files.ts";

const PROCESS = new Set([
  "Deno.args",
  "Deno.exit",
  "Deno.exitCode",
  "process.exit",
  "process.exitCode",
  "process.argv",
]);

export const cliOnly: Deno.lint.Rule = {
  create(ctx) {
    const file = repositoryPath(ctx.filename);
    if (file === undefined || file === "cli.ts" || !isProduct(file)) return {};
    return {
      MemberExpression(node) {
        const name = memberName(node);
        if (name === undefined) return;
        if (name.object !== "console" && !PROCESS.has(`${name.object}.${name.property}`)) return;
        ctx.report({
          node,
          message: `Only cli.ts touches ${
            name.object === "console" ? "the console" : `${name.object}.${name.property}`
          }`,
          hint: "Return the value, or write through the output the caller gives",
        });
      },
    };
  },
};

/** Reading the kind of system or an error class changes nothing and waits for nothing. */
const HARMLESS_DENO = new Set(["errors", "build", "version"]);
const HARMLESS_NODE = new Set(["node:buffer", "node:crypto", "node:events", "node:stream", "node:util", "node:url"]);
const NETWORK = new Set(["fetch", "WebSocket", "XMLHttpRequest", "EventSource", "Worker"]);

/** Plugins that are themselves adapters to the outside, and what they may use for it. */
export const IO_EXCEPTIONS: readonly { files: string; may: readonly string[]; why: string }[] = [
  {
    files: "plugins/stores/",
    may: ["node:http", "node:https", "Deno.env"],
    why: "an object store is reached over the network with the credentials of the environment",
  },
  {
    files: "plugins/notifiers/",
    may: ["fetch"],
    why: "a notifier is an adapter to a service; its secrets come from the context",
  },
];

export const noAmbientIo: Deno.lint.Rule = {
  create(ctx) {
    const file = repositoryPath(ctx.filename);
    if (file === undefined || !/^(stages|plugins)\//.test(file)) return {};
    const allowed = new Set(IO_EXCEPTIONS.filter((rule) => file.startsWith(rule.files)).flatMap((rule) => rule.may));
    const report = (node: Deno.lint.Node, what: string): void => {
      if (allowed.has(what)) return;
      ctx.report({
        node,
        message: `${what} is ambient I/O in a plugin`,
        hint: "Ask the context for it; the ports of core/io own files, network and processes",
      });
    };
    return {
      MemberExpression(node) {
        const name = memberName(node);
        if (name?.object === "Deno" && !HARMLESS_DENO.has(name.property)) report(node, `Deno.${name.property}`);
      },
      CallExpression(node) {
        if (node.callee.type === "Identifier" && NETWORK.has(node.callee.name)) report(node, node.callee.name);
      },
      NewExpression(node) {
        if (node.callee.type === "Identifier" && NETWORK.has(node.callee.name)) report(node, node.callee.name);
      },
      ImportDeclaration(node) {
        if (node.importKind === "type") return;
        const name = node.source.value;
        if (name.startsWith("node:") && !HARMLESS_NODE.has(name)) report(node, name);
      },
      ImportExpression(node) {
        const name = literalText(node.source);
        if (name?.startsWith("node:") && !HARMLESS_NODE.has(name)) report(node, name);
      },
    };
  },
};

const WAITS = new Set(["setTimeout", "setInterval"]);

export const noSleepInTests: Deno.lint.Rule = {
  create(ctx) {
    const file = repositoryPath(ctx.filename);
    if (file === undefined || !/^(tests|testing)\//.test(file)) return {};
    const report = (node: Deno.lint.Node, what: string): void =>
      ctx.report({
        node,
        message: `${what} makes a test wait for the real clock`,
        hint: "Use the kit's clock, or await the event itself; AbortSignal.timeout is fine as a deadline",
      });
    return {
      CallExpression(node) {
        if (node.callee.type === "Identifier" && WAITS.has(node.callee.name)) report(node, node.callee.name);
        if (node.callee.type !== "MemberExpression") return;
        const name = memberName(node.callee);
        if (name?.object === "globalThis" && WAITS.has(name.property)) report(node, name.property);
      },
      ImportDeclaration(node) {
        if (/^node:timers(\/|$)/.test(node.source.value)) report(node, node.source.value);
      },
    };
  },
};
