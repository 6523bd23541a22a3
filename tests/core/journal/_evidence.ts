import type { Evidence } from "../../../core/evidence.ts";

/** Evidence as a large run makes it. */
export function evidenceOf(path: string, place = "truenas"): Evidence {
  return {
    path,
    size: 16_384,
    sha256: "ab".repeat(32),
    place,
    placeUuid: "0b8e6f0a-0000-4000-8000-000000000001",
    uri: `/mnt/nas/study/${path}`,
    level: "proved",
    guarantee: "read-back",
    medium: "direct",
    at: "2026-01-02T03:04:05.678Z",
    identity: { dev: 64_768, ino: 123_456_789, size: 16_384, mtimeMs: 1_767_323_045_678, ctimeMs: 1_767_323_045_000 },
  };
}
