/** What lint says of files with stages from outside; a part of the table in rules.ts. @module */

/** Code and text: each is an error. */
export const PLUGIN_RULES: readonly (readonly [code: string, text: string])[] = [
  [
    "plugins/not-there",
    "The config names a file of a stage that is not there. A relative path is taken from the folder of the config.",
  ],
  [
    "plugins/unreadable",
    "A file of a stage cannot be read, or is none: a folder or a pipe for example. Give the account that runs labferry the right to read it.",
  ],
  [
    "plugins/not-a-stage-file",
    "The config names a file as a stage that ends in none of `.ts`, `.js` and `.mjs`.",
  ],
  ["plugins/named-twice", "The config names a file of a stage twice, maybe in two spellings. Leave one of them."],
  [
    "plugins/folder-unreadable",
    "The folder `plugins/` beside the config is there and cannot be listed. A stage that is missing by mistake should be missed at once.",
  ],
  [
    "plugins/changed",
    "A file has another SHA-256 than the one the config pins it to. It was not run. Find out who changed it and why; if the change is wanted, read the file, then pin it anew.",
  ],
  [
    "plugins/load-failed",
    "A file of a stage is not valid, threw while it was loaded, or imports what is not there: a stage from outside is one file, and what it needs is in its argument.",
  ],
  [
    "plugins/too-slow",
    "A file of a stage was not loaded within 10 s. It must do nothing but define its stage; what takes time belongs into `open`, `plan` or `apply`.",
  ],
  ["plugins/no-function", "The default export of a file is no function `(api) => stage`."],
  [
    "plugins/bad-stage",
    "A file gave no stage, or one with fields that are wrong or forgotten; the message tells of each what was found and what is wanted.",
  ],
  ["plugins/api-too-new", "A file is written for a later version of the API than this labferry has. Update labferry."],
  ["plugins/bad-api-version", "The `apiVersion` of a file is no whole number of at least 1."],
  [
    "plugins/name-taken",
    "The stage of a file has the name of one that comes with labferry, or of one in another file: a name must mean one stage.",
  ],
  [
    "plugins/bad-answer",
    "A stage from outside answered what no stage may: facts, places or uses of another shape. The message names the file, what was found and what is wanted; its author must mend it.",
  ],
  [
    "plugins/stage-failed",
    "A stage from outside threw when it was asked for its facts, places or uses. This is a mistake in that file; its author must mend it.",
  ],
];
