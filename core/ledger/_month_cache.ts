/**
 * The fold of each month, kept as long as the month's file shows the same size, time and inode.
 * @module
 */
import { join } from "@std/path";
import type { FileStat, FileSystem } from "../io/file_system.ts";
import { ioError } from "../io/io_errors.ts";
import { readLines } from "./_lines.ts";
import { foldLines, type LedgerFold, ledgerMonths } from "./fold.ts";
import type { LedgerRecord, TornLine } from "./record.ts";

interface Month {
  stamp: string;
  fold: LedgerFold;
}

const stampOf = (stat: FileStat) => `${stat.dev} ${stat.ino} ${stat.size} ${stat.mtimeMs} ${stat.ctimeMs}`;

export class MonthCache {
  readonly #fs: FileSystem;
  readonly #root: string;
  #months = new Map<string, Month>();

  constructor(fs: FileSystem, root: string) {
    this.#fs = fs;
    this.#root = root;
  }

  /** The latest record of a backup and the month it stands in. */
  async latest(name: string): Promise<{ record: LedgerRecord; month: string } | undefined> {
    await this.#refresh();
    for (const [month, { fold }] of [...this.#months].reverse()) {
      const record = fold.records.get(name);
      // A copy: what a caller does to a record must not change what the next one reads.
      if (record !== undefined) return { record: structuredClone(record), month };
    }
    return undefined;
  }

  async fold(): Promise<LedgerFold> {
    await this.#refresh();
    const records = new Map<string, LedgerRecord>();
    for (const { fold } of this.#months.values()) {
      for (const [name, record] of fold.records) records.set(name, structuredClone(record));
    }
    return { records, torn: this.torn() };
  }

  /** Lines left out as of the last reading. */
  torn(): TornLine[] {
    return [...this.#months.values()].flatMap(({ fold }) => fold.torn);
  }

  /**
   * Takes over what this process has just appended under the ledger's lock and read back: what the file held before is
   * what was folded, so that a month is not read again for every line. Anything unexpected is read anew.
   */
  appended(
    month: string,
    line: { before: FileStat; after: FileStat; added: number; record: LedgerRecord },
  ): void {
    const known = this.#months.get(month);
    const { before, after, added, record } = line;
    if (known === undefined || known.stamp !== stampOf(before) || after.size !== before.size + added) return;
    known.fold.records.set(record.backup_name, structuredClone(record));
    known.stamp = stampOf(after);
  }

  async #refresh(): Promise<void> {
    const months = new Map<string, Month>();
    for (const name of await ledgerMonths(this.#fs, this.#root)) {
      months.set(name, await this.#read(name, this.#months.get(name)));
    }
    this.#months = months;
  }

  async #read(name: string, known: Month | undefined): Promise<Month> {
    const path = join(this.#root, name);
    try {
      // The stat of an open handle: network file systems answer a stat by path from a cache that may be seconds old.
      await using handle = await this.#fs.openRead(path);
      const stat = await handle.stat();
      const stamp = stampOf(stat);
      if (known?.stamp === stamp) return known;
      const lines = readLines(handle);
      const fold = await foldLines(
        (async function* () {
          for await (const line of lines) yield line.bytes;
        })(),
        { file: name },
      );
      return { stamp, fold };
    } catch (error) {
      throw ioError(error, { verb: "read the ledger", path });
    }
  }
}
