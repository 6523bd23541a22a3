/** The made-up laboratory of the demo: folders, config, S3 endpoint and mail server, all of this process. @module */
import { join } from "@std/path";
import { PipelineError } from "../../core/errors.ts";
import type { FileSystem } from "../../core/io/file_system.ts";
import type { RunReport } from "../../core/run/report.ts";
import { type MailServer, startMailServer } from "../mail_server.ts";
import { type S3Server, startS3Server } from "../s3_server/mod.ts";
import { SmallNas } from "../small_nas.ts";

export const BUCKET = "lab-archive";
export const PREFIX = "fusion";

/** How many bytes the NAS holds: enough for the first studies, and short of space with the further ones. */
export const NAS_BYTES = 32 * 2 ** 20;
/** Per cent. Of a NAS this small half is wanted free, so that two studies have to go. */
export const FREE_THRESHOLD = 50;

/** Who is told of a failed backup, and who of an error of the instrument. */
export const PEOPLE = { backup_failure: "it@lab.example", fusion_error: "operator@lab.example" } as const;

/** How a command of the demo differs from one that was typed. */
export interface CommandOptions {
  /** In place of the disk of this machine. */
  openDisk?(): FileSystem & AsyncDisposable;
  /** Sees what the command writes to stdout. */
  onOut?(text: string): void;
  /** Stops it as SIGTERM does. */
  stop?: AbortSignal;
  /** How many times as often as usual it does what it does every so many seconds. */
  pace?: number;
}

/** How a command ended. */
export interface Ended {
  code: number;
  /** Of a pipeline. */
  report?: RunReport;
}

/** What the tour is given. */
export interface TourOptions {
  /** An existing, empty folder. */
  folder: string;
  /** Milliseconds since 1970. */
  now: number;
  /** Shows text to the person watching. */
  say(text: string): void;
  /** Runs a command line of the program, with the config and the state of the folder. */
  labferry(argv: readonly string[], options?: CommandOptions): Promise<Ended>;
  /** Hands the endpoint's keys to the S3 client, which looks for them as for any other, until it is disposed. */
  useKeys(keys: { accessKey: string; secretKey: string }): Disposable;
  signal: AbortSignal;
}

/** What the chapters of the tour share. */
export interface Lab extends AsyncDisposable, Pick<TourOptions, "now" | "say" | "signal"> {
  readonly folders: { readonly source: string; readonly truenas: string; readonly manifests: string };
  /** Path of the instrument's own log. */
  readonly log: string;
  /** Where the mails are kept as files. */
  readonly mailFolder: string;
  readonly fs: FileSystem;
  readonly s3: S3Server;
  readonly mail: MailServer;
  /** Runs a command line whose disk knows how much the NAS holds, after saying it. */
  labferry(argv: readonly string[], options?: CommandOptions): Promise<Ended>;
  /** The same of a pipeline. @throws {PipelineError} `demo/no-report` when it ends before there is a report */
  run(argv: readonly string[], options?: CommandOptions): Promise<RunReport>;
  /** Begins a chapter. */
  chapter(title: string): void;
}

/** Makes the folders and the files of the laboratory, and starts its servers. */
export async function openLab(options: TourOptions): Promise<Lab> {
  const { folder, say, now, signal } = options;
  const folders = {
    source: join(folder, "instrument"),
    truenas: join(folder, "truenas"),
    manifests: join(folder, "manifests"),
  };
  const mailFolder = join(folder, "mails");
  for (const path of [...Object.values(folders), mailFolder, join(folder, "recipients")]) await Deno.mkdir(path);
  await using stack = new AsyncDisposableStack();
  const openDisk = () => new SmallNas({ root: folders.truenas, total: NAS_BYTES });
  const fs = stack.use(openDisk());
  const s3 = stack.use(await startS3Server({ buckets: [BUCKET] }));
  const mail = stack.use(await startMailServer());
  stack.use(options.useKeys(s3));
  await Deno.writeTextFile(join(folder, "config.toml"), configText(s3, mail));
  await Deno.writeTextFile(join(folder, "smtp.env"), secretsText(mail), { mode: 0o600 });
  for (const [event, address] of Object.entries(PEOPLE)) {
    await Deno.writeTextFile(join(folder, "recipients", `${event}.txt`), `${address}\n`);
  }
  let chapters = 0;
  const labferry = (argv: readonly string[], more?: CommandOptions) => {
    say(`$ labferry ${argv.join(" ")}\n`);
    return options.labferry(argv, { openDisk, ...more });
  };
  const kept = stack.move();
  return {
    folders,
    log: join(folder, "Fusion.log"),
    mailFolder,
    fs,
    s3,
    mail,
    now,
    say,
    signal,
    labferry,
    async run(argv, more) {
      const { code, report } = await labferry(argv, more);
      signal.throwIfAborted();
      if (report !== undefined) return report;
      throw new PipelineError(
        "demo/no-report",
        `Cannot go on with the demo: labferry ${argv.join(" ")} ended with ${code} before it began its run`,
        { hint: "What stopped it stands above." },
      );
    },
    chapter(title) {
      const line = `${++chapters}. ${title}`;
      say(`\n${line}\n${"-".repeat(line.length)}\n`);
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

function configText(s3: S3Server, mail: MailServer): string {
  return `# Written by labferry demo. Paths are relative to this file.
[paths]
source_root   = "instrument"
truenas_root  = "truenas"
manifest_root = "manifests"

[s3]
bucket   = "${BUCKET}"
prefix   = "${PREFIX}"
endpoint = "${s3.endpoint}"

[backup]
idle_days      = 14
settle_minutes = 0 # the studies were made a moment ago

[cleanup]
free_threshold_pct = ${FREE_THRESHOLD}

[monitor]
log_path = "Fusion.log"

[notify]
enabled = true

[notify.smtp]
host     = "127.0.0.1"
port     = ${mail.port}
security = "none" # the server is in this process
`;
}

function secretsText(mail: MailServer): string {
  return `LABFERRY_SMTP_USER=${mail.user}\nLABFERRY_SMTP_APP_PASSWORD=${mail.password}\n`;
}
