/**
 * Builds `docs/name_checker/index.html`, one file that needs no server and loads nothing: `deno task name-checker`.
 * @module
 */
import { fromFileUrl, join } from "@std/path";
import { build, stop } from "esbuild";

const SOURCE = fromFileUrl(new URL("./name_checker", import.meta.url));

/** Returns the page with its style and its script in it. */
export async function buildNameChecker(): Promise<string> {
  const [page, style] = await Promise.all(["page.html", "style.css"].map(async (name) => {
    return (await Deno.readTextFile(join(SOURCE, name))).replaceAll("\r\n", "\n");
  }));
  const script = await bundle();
  return page
    .replace("/* style.css */", () => `\n${style.trimEnd()}\n    `)
    .replace("/* page.ts */", () => `\n${script.trimEnd()}\n    `)
    .replace(
      "<!DOCTYPE html>\n",
      (line) => `${line}<!-- Made by tools/name_checker.ts from tools/name_checker/; edit those. -->\n`,
    );
}

/** A classic script: a page from a file may import no modules. */
async function bundle(): Promise<string> {
  try {
    const { outputFiles } = await build({
      absWorkingDir: SOURCE,
      entryPoints: ["page.ts"],
      bundle: true,
      write: false,
      format: "iife",
      target: "es2020",
      // Whatever the page is sent as, the letters stay the same.
      charset: "ascii",
      legalComments: "none",
      logLevel: "silent",
    });
    const [{ text }] = outputFiles;
    if (/<\/script|<!--/i.test(text)) throw new TypeError("the script would end its own element");
    return text;
  } finally {
    await stop();
  }
}

if (import.meta.main) {
  const target = join(fromFileUrl(new URL("..", import.meta.url)), "docs", "name_checker", "index.html");
  await Deno.writeTextFile(target, await buildNameChecker());
}
