/**
 * Notes of the programs that are at work, in the state folder: should labferry be killed, they work on, and a lock whose
 * holder is dead still stands for what they do (SAFETY S10). A note is not flushed: a loss of power ends the program, too.
 * @module
 */
import { join } from "@std/path";
import type { Clock } from "../ports.ts";
import { systemClock } from "./clock.ts";
import { isAbsent } from "./io_errors.ts";
import { isGroupAlive, type ProcessLife, type ProcessLiveness, systemProcesses } from "./process_info.ts";

/** How long (ms) a program whose labferry was killed is waited for, and how often it is looked at. */
const WAIT_MS = 5_000;
const LOOK_MS = 100;
/** A process that began this much later than the note is another one; clocks are not finer, in ms. */
const START_SLACK_MS = 5_000;

/** How old (ms) a note is that was begun and will never be whole: its writer was killed. */
const BEGUN_MS = 60_000;

interface Note {
  host: string;
  /** The labferry that started it. */
  holder: number;
  pid: number;
  /** ISO 8601 UTC. */
  since: string;
  program: string;
}

/** Where the notes are, and whose. */
export interface ChildNotesOptions {
  /** OS path of their folder; made with the first note. */
  dir: string;
  host: string;
  /** For tests, as the rest. */
  processes?: ProcessLiveness;
  isGroupAlive?: (leader: number) => boolean;
  clock?: Clock;
}

export class ChildNotes implements ProcessLiveness {
  readonly #dir: string;
  readonly #host: string;
  readonly #processes: ProcessLiveness;
  readonly #isGroupAlive: (leader: number) => boolean;
  readonly #clock: Clock;

  constructor(options: ChildNotesOptions) {
    this.#dir = options.dir;
    this.#host = options.host;
    this.#processes = options.processes ?? systemProcesses;
    this.#isGroupAlive = options.isGroupAlive ?? isGroupAlive;
    this.#clock = options.clock ?? systemClock;
  }

  /** Notes a program that this process has started, until disposed of: when it and what it started have ended. */
  add(pid: number, program: string): Disposable {
    const since = new Date(this.#clock.now()).toISOString();
    const note: Note = { host: this.#host, holder: Deno.pid, pid, since, program };
    Deno.mkdirSync(this.#dir, { recursive: true });
    const name = crypto.randomUUID();
    const file = join(this.#dir, `${name}.json`);
    // Under another name until it is whole: whoever tidies up meanwhile would take it for torn.
    const begun = join(this.#dir, `${name}.begun`);
    Deno.writeTextFileSync(begun, JSON.stringify(note), { createNew: true });
    Deno.renameSync(begun, file);
    return { [Symbol.dispose]: () => removeSync(file) };
  }

  /**
   * As the system says of a process; one that has ended lives on in the programs it started. They are waited for, for 5 s:
   * most end by themselves once nobody reads what they say.
   */
  async isAlive(pid: number): Promise<ProcessLife> {
    for (let waited = 0;; waited += LOOK_MS) {
      const life = await this.#processes.isAlive(pid);
      const child = await this.#childOf(pid, life);
      if (child === undefined) return life;
      if (waited >= WAIT_MS) return { alive: true, child: { pid: child.pid, program: child.program } };
      await this.#clock.sleep(LOOK_MS);
    }
  }

  /** Removes the notes of programs that have ended, and what is left of notes that were begun and never whole. */
  async tidy(): Promise<void> {
    const old = this.#clock.now() - BEGUN_MS;
    for (const file of await this.#files(".begun")) {
      const made = (await Deno.stat(file).catch(undefinedIfAbsent))?.mtime?.getTime();
      if (made !== undefined && made < old) removeSync(file);
    }
    for (const { file, note } of await this.#all()) {
      if (note === undefined || note.host === this.#host && !await this.#isAtWork(note)) removeSync(file);
    }
  }

  /** A program that is at work though the process of this number, which started it, is no more. */
  async #childOf(holder: number, life: ProcessLife): Promise<Note | undefined> {
    for (const { note } of await this.#all()) {
      if (note?.holder !== holder || note.host !== this.#host) continue;
      const isHeld = life.alive && !isLater(life, note);
      if (!isHeld && await this.#isAtWork(note)) return note;
    }
  }

  async #isAtWork(note: Note): Promise<boolean> {
    const life = await this.#processes.isAlive(note.pid);
    // No process gets a number that a group has: if another one bears it, nothing is left of the group.
    return life.alive ? !isLater(life, note) : this.#isGroupAlive(note.pid);
  }

  /** All notes; what is none was torn by a loss of power. */
  async #all(): Promise<{ file: string; note?: Note }[]> {
    const found: { file: string; note?: Note }[] = [];
    for (const file of await this.#files(".json")) {
      const text = await Deno.readTextFile(file).catch(undefinedIfAbsent);
      if (text !== undefined) found.push({ file, note: parse(text) });
    }
    return found;
  }

  async #files(ending: string): Promise<string[]> {
    const found: string[] = [];
    try {
      for await (const { name } of Deno.readDir(this.#dir)) {
        if (name.endsWith(ending)) found.push(join(this.#dir, name));
      }
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
    return found;
  }
}

/** Whether the process began behind the note, and so is another one of the same number. */
function isLater({ startedAtMs = -Infinity }: ProcessLife, { since }: Note): boolean {
  return startedAtMs > Date.parse(since) + START_SLACK_MS;
}

function parse(text: string): Note | undefined {
  try {
    const note = JSON.parse(text) as Note;
    return Number.isInteger(note.pid) && Number.isInteger(note.holder) ? note : undefined;
  } catch {
    return undefined;
  }
}

function undefinedIfAbsent(error: unknown): undefined {
  if (!isAbsent(error)) throw error;
}

function removeSync(file: string): void {
  try {
    Deno.removeSync(file);
  } catch {
    // Gone already, or it stays: then it names a process that has ended, and says nothing to anybody.
  }
}
