/** The files that `install init` writes, as texts. Pure; they are part of the program. @module */
import { EVENTS } from "../core/events/events.ts";
import type { SchemaFile } from "../cli/schema_files.ts";
import type { PathSystem } from "../core/io/paths.ts";
import { renderConfigTemplate } from "../core/pipeline/config_template.ts";

/** A file to write, relative to the config folder, `/`-separated. */
export interface InitFile {
  /** `config` and `credentials` may be replaced with `--force`; `recipients` belong to people; a `schema` is made anew. */
  kind: "config" | "credentials" | "recipients" | "schema";
  path: string;
  text: string;
  mode: number;
}

/** Without a name of its own, an event goes to the addresses of this list. */
const FALLBACK = "default";

const SMTP_ENV = `# Credentials of the mail server: user and app password, one NAME=value a line. A value that
# begins or ends with a space, or holds a # behind one, stands in single quotes.
# Variables of the environment with these names win over this file. Only the account that runs labferry should be
# able to read it; labferry made it so where the system has file modes.
# LABFERRY_SMTP_USER=labferry@lab.example
# LABFERRY_SMTP_APP_PASSWORD=
`;

function recipients(who: string): string {
  return `# ${who}\n# One e-mail address a line; lines that begin with "#" do not count. Read anew for every message.\n` +
    "# ops@lab.example\n";
}

/** For editors: where the config's schema is. */
const SCHEMA_LINE = "#:schema ./schema/config.schema.json\n";

/** Returns the files in the order they are written. The config comes last: once it stands, the others do. */
export function initFiles(
  system: PathSystem,
  { configName = "config.toml", schemas = [] }: { configName?: string; schemas?: readonly SchemaFile[] } = {},
): InitFile[] {
  const lists = Object.entries(EVENTS).map(([event, when]) => ({
    event,
    text: recipients(`Who hears of ${event}: ${when} Without an address here, ${FALLBACK}.txt counts.`),
  }));
  lists.push({ event: FALLBACK, text: recipients("Who hears of every event whose own list has no address.") });
  return [
    ...lists.map(({ event, text }): InitFile => ({
      kind: "recipients",
      path: `recipients/${event}.txt`,
      text,
      mode: 0o644,
    })),
    { kind: "credentials", path: "smtp.env", text: SMTP_ENV, mode: 0o600 },
    ...schemas.map(({ name, text }): InitFile => ({ kind: "schema", path: `schema/${name}`, text, mode: 0o644 })),
    { kind: "config", path: configName, text: SCHEMA_LINE + renderConfigTemplate(system), mode: 0o644 },
  ];
}
