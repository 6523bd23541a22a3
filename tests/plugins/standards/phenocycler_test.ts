import assert from "node:assert/strict";
import fc from "fast-check";
import type { ListedEntry } from "../../../core/contract.ts";
import type { Finding } from "../../../core/errors.ts";
import { phenocycler } from "../../../plugins/standards/phenocycler.ts";

const STUDY = "20250131_ada_kidney_batch-1";

/** A listing from paths: a trailing `/` makes a folder, a trailing `@` a link, `!` a special file. */
function listing(...paths: string[]): ListedEntry[] {
  const kinds = new Map<string | undefined, ListedEntry["kind"]>([["/", "directory"], ["@", "symlink"], [
    "!",
    "other",
  ]]);
  return paths.map((path) => {
    const kind = kinds.get(path.at(-1)) ?? "file";
    return { path: kind === "file" ? path : path.slice(0, -1), kind };
  });
}

function experiment(name: string): string[] {
  return [`${name}/`, `${name}/Scan1/`, `${name}/Scan1/${name}.qptiff`, `${name}/Scan1/.temp/`];
}

function good(study = STUDY): string[] {
  return [`${study}.xpd`, "plate.fpr", ...experiment(study)];
}

function check(study: string, ...paths: string[]): Finding[] {
  return phenocycler.check(study, listing(...paths));
}

/** Asserts that exactly these rules fired, at these paths. */
function fired(findings: Finding[], ...wanted: string[]) {
  assert.deepEqual(findings.map((f) => `${f.rule} ${f.path}`), wanted, JSON.stringify(findings, null, 1));
  for (const finding of findings) {
    assert.equal(finding.severity, "error");
    assert.ok(finding.message.includes("wanted") || finding.message.includes("is not a date"), finding.message);
  }
}

Deno.test("phenocycler.check() passes a conforming study", () => {
  fired(check(STUDY, ...good()));
  fired(check(STUDY, ...good(), `${STUDY}_b2.xpd`, ...experiment(`${STUDY}_b2`)));
  fired(check(STUDY, ...good(), `${STUDY}/notes.txt`, `${STUDY}/Scan1/tiles/`, `${STUDY}/Scan1/tiles/1/deep.tif`));
});

Deno.test("phenocycler.check() R1 wants four fields", () => {
  for (const name of ["20250131_ada_kidney", "20250131_ada_kidney_a_b", "20250131"]) {
    const findings = check(name, ...good(name));
    assert.deepEqual(findings.map((f) => f.rule), ["R1"]);
    assert.match(findings[0].message, /field/);
    assert.equal(findings[0].path, "");
  }
});

Deno.test("phenocycler.check() R1 wants a calendar date, leap years included", () => {
  for (const date of ["20240229", "20000229", "20250430", "20251231", "00010101", "99991231"]) {
    const name = `${date}_a_b_c`;
    fired(check(name, ...good(name)));
  }
  for (
    const date of [
      "20250229",
      "19000229",
      "20250431",
      "20251301",
      "20250001",
      "20250100",
      "00000101",
      "2025011",
      "abcdefgh",
    ]
  ) {
    const name = `${date}_a_b_c`;
    fired(check(name, ...good(name)), "R1 ");
  }
});

Deno.test("phenocycler.check() R1 refuses digits of other scripts and empty fields", () => {
  const name = "２０２５０１３１_a__c";
  const rules = check(name, ...good(name)).map((f) => f.rule);
  assert.deepEqual(rules.filter((rule) => rule === "R1").length, 2);
  assert.ok(rules.includes("R3"));
});

Deno.test("phenocycler.check() R2 wants the study's name, alone or with one suffix", () => {
  fired(check(STUDY, ...good(), `${STUDY}_a_b.xpd`, ...experiment(`${STUDY}_a_b`)), `R2 ${STUDY}_a_b`);
  fired(check(STUDY, ...good(), `${STUDY}_.xpd`, ...experiment(`${STUDY}_`)), `R2 ${STUDY}_`);
  fired(check(STUDY, ...good(), ...experiment("20250131_bob_kidney_x")), "R2 20250131_bob_kidney_x");
  fired(check(STUDY, ...good(), ...experiment("run2")), "R2 run2");
  const cased = check(STUDY, ...good(), ...experiment(STUDY.toUpperCase()));
  fired(cased, `R2 ${STUDY.toUpperCase()}`);
  assert.match(cased[0].message, /spelled differently/);
});

Deno.test("phenocycler.check() R3 names the characters it refuses", () => {
  const name = "20250131_ada l_kidney_bätch";
  const findings = check(name, ...good(name));
  fired(findings, "R3 ", "R3 ");
  assert.match(findings[0].message, /field 2 "ada l" contains a space/);
  assert.match(findings[1].message, /U\+00E4/);
  const suffix = `${STUDY}_x.1`;
  fired(check(STUDY, ...good(), `${suffix}.xpd`, ...experiment(suffix)), `R3 ${suffix}`);
});

Deno.test("phenocycler.check() R3 allows 60 characters of experiment name, not 61", () => {
  const fits = `${STUDY}_${"x".repeat(60 - STUDY.length - 1)}`;
  assert.equal(fits.length, 60);
  fired(check(STUDY, ...good(), `${fits}.xpd`, ...experiment(fits)));
  fired(check(STUDY, ...good(), `${fits}x.xpd`, ...experiment(`${fits}x`)), `R3 ${fits}x`);
  const long = `20250131_ada_kidney_${"x".repeat(41)}`;
  fired(check(long, ...good(long)), "R3 ");
});

Deno.test("phenocycler.check() R4 wants metadata and data", () => {
  fired(check(STUDY, ...experiment(STUDY)), "R4 ");
  fired(check(STUDY, "plate.fpr"), "R4 ");
  fired(check(STUDY, "plate.fpr", ...experiment(STUDY)));
  fired(check(STUDY, `${STUDY}.xpd`, ...experiment(STUDY)));
});

Deno.test("phenocycler.check() R4 reports a study without any entry", () => {
  const findings = check(STUDY);
  fired(findings, "R4 ", "R4 ");
  assert.match(findings[0].message, /study folder is empty/);
});

Deno.test("phenocycler.check() R5 allows nothing else at the level of the study", () => {
  fired(
    check(
      STUDY,
      ...good(),
      "notes/",
      "notes.txt",
      "Thumbs.db",
      "_checksums.sha256",
      "x.fpr/",
      "link@",
      "pipe!",
      "y.XPD",
      "z.xpd@",
    ),
    "R5 Thumbs.db",
    "R5 _checksums.sha256",
    "R5 link",
    "R5 notes",
    "R5 notes.txt",
    "R5 pipe",
    "R5 x.fpr",
    "R5 y.XPD",
    "R5 z.xpd",
  );
});

Deno.test("phenocycler.check() R5 explains an extension in the wrong case", () => {
  const [finding] = check(STUDY, ...good(), "y.XPD");
  assert.match(finding.message, /extension \.XPD, wanted \.xpd/);
});

Deno.test("phenocycler.check() R6 pairs .xpd files and experiments one to one", () => {
  fired(check(STUDY, ...good(), `${STUDY}_b.xpd`), `R6 ${STUDY}_b.xpd`);
  fired(check(STUDY, ...good(), ...experiment(`${STUDY}_b`)), `R6 ${STUDY}_b`);
  const cased = check(STUDY, ...good(), `${STUDY}_B.xpd`, `${STUDY}_b.xpd`, ...experiment(`${STUDY}_b`));
  fired(cased, `R6 ${STUDY}_B.xpd`);
  assert.match(cased[0].message, new RegExp(`there is "${STUDY}_b"`));
  fired(check(STUDY, "plate.fpr", ...experiment(STUDY), ...experiment(`${STUDY}_b`)));
});

Deno.test("phenocycler.check() R6 takes a file of the experiment's name for no experiment", () => {
  fired(check(STUDY, ...good(), `${STUDY}_b.xpd`, `${STUDY}_b`), `R5 ${STUDY}_b`, `R6 ${STUDY}_b.xpd`);
});

Deno.test("phenocycler.check() R7 wants plain characters in .fpr names", () => {
  fired(check(STUDY, ...good(), "plate_2-b.fpr", `${STUDY}.fpr`));
  fired(check(STUDY, ...good(), "my plate.fpr"), "R7 my plate.fpr");
  fired(check(STUDY, ...good(), "a.b.fpr"), "R7 a.b.fpr");
  const [nameless] = check(STUDY, ...good(), ".fpr");
  assert.equal(nameless.rule, "R7");
});

Deno.test("phenocycler.check() R8 wants one scan with an image and a .temp folder", () => {
  const base = [`${STUDY}.xpd`, `${STUDY}/`];
  const incomplete: string[][] = [
    [],
    ["Scan1/"],
    ["Scan1/", "Scan1/a.qptiff"],
    ["Scan1/", "Scan1/.temp/"],
    ["Scan1/", "Scan1/a.qptiff", "Scan1/.temp"],
    ["Scan1/", "Scan1/a.qptiff/", "Scan1/.temp/"],
    ["Scan1/", "Scan1/a.QPTIFF", "Scan1/.temp/"],
    ["Scan1/", "Scan1/a.qptiff@", "Scan1/.temp/"],
    ["Scan1/", "Scan1/a.qptiff", "Scan1/.TEMP/"],
    ["Scan1/", "Scan2/", "Scan1/a.qptiff", "Scan2/.temp/"],
    ["scan1/", "scan1/a.qptiff", "scan1/.temp/"],
    ["ScanA/", "ScanA/a.qptiff", "ScanA/.temp/"],
    ["Scan1/", "Scan1/x/", "Scan1/x/a.qptiff", "Scan1/x/.temp/"],
    ["Scan1", "a.qptiff", ".temp/"],
  ];
  for (const inside of incomplete) {
    const findings = check(STUDY, ...base, ...inside.map((path) => `${STUDY}/${path}`));
    fired(findings.filter((finding) => finding.rule !== "links"), `R8 ${STUDY}`);
  }
  const complete = ["Scan1/", "Scan12/", "Scan12/a.qptiff", "Scan12/.temp/"];
  fired(check(STUDY, ...base, ...complete.map((path) => `${STUDY}/${path}`)));
});

Deno.test("phenocycler.check() R8 says what each scan lacks", () => {
  const [finding] = check(
    STUDY,
    `${STUDY}.xpd`,
    `${STUDY}/`,
    `${STUDY}/Scan1/`,
    `${STUDY}/Scan1/a.qptiff/`,
    `${STUDY}/Scan1/.temp`,
  );
  assert.match(
    finding.message,
    /Scan1: no \*\.qptiff file, no \.temp folder, "\.temp" is a file, "a\.qptiff" is a folder/,
  );
});

Deno.test("S15 phenocycler.check() reports links and special files at any depth", () => {
  fired(
    check(STUDY, ...good(), `${STUDY}/Scan1/tiles/deep/x@`, `${STUDY}/pipe!`),
    `links ${STUDY}/Scan1/tiles/deep/x`,
    `links ${STUDY}/pipe`,
  );
});

Deno.test("phenocycler.check() reports everything that is wrong at once", () => {
  const rules = check("20251331_a b_c", "x.XPD", "y z.fpr", "20251331_a b_c_q_r/", "lost.xpd").map((f) => f.rule);
  assert.deepEqual([...new Set(rules)], ["R1", "R2", "R3", "R5", "R6", "R7", "R8"]);
});

const part = fc.oneof(
  fc.constantFrom(
    STUDY,
    `${STUDY}_b`,
    `${STUDY}.xpd`,
    `${STUDY}_b.xpd`,
    "a.fpr",
    "Scan1",
    ".temp",
    "a.qptiff",
    "",
    ".",
  ),
  fc.string({ unit: "binary", maxLength: 6 }),
);
const entries: fc.Arbitrary<ListedEntry[]> = fc.array(
  fc.record({
    path: fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/")),
    kind: fc.constantFrom("file", "directory", "symlink", "other"),
  }),
  { maxLength: 12 },
);
const studies = fc.oneof(fc.constant(STUDY), fc.string({ unit: "binary" }), fc.constantFrom("", "_", "__proto__"));

Deno.test("phenocycler.check() never throws, and neither order nor repetition of entries matters", () => {
  fc.assert(
    fc.property(studies, entries, fc.integer(), (study, list, seed) => {
      const first = phenocycler.check(study, list);
      const shuffled = [...list, ...list.slice(0, 3)].map((entry, at) => ({ entry, key: Math.imul(at + 1, seed | 1) }))
        .sort((a, b) => a.key - b.key).map(({ entry }) => ({ ...entry }));
      assert.deepEqual(phenocycler.check(study, shuffled), first);
    }),
    { numRuns: 500 },
  );
});

Deno.test("phenocycler.wants() keeps every entry that a finding depends on", () => {
  fc.assert(
    fc.property(studies, entries, (study, list) => {
      const kept = list.filter((entry) => phenocycler.wants!(entry));
      assert.deepEqual(phenocycler.check(study, kept), phenocycler.check(study, list));
    }),
    { numRuns: 500 },
  );
});

Deno.test("phenocycler is free of Deno and Node", async () => {
  const folder = new URL("../../../plugins/standards/", import.meta.url);
  for (
    const file of [
      "phenocycler.ts",
      "phenocycler/examples.ts",
      "phenocycler/listing.ts",
      "phenocycler/names.ts",
      "phenocycler/rules.ts",
    ]
  ) {
    const text = await Deno.readTextFile(new URL(file, folder));
    assert.doesNotMatch(text, /\bDeno\.|node:|^import (?!type).*core\//m, file);
  }
});
