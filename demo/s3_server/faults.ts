/** What an endpoint does wrong, for tests and demonstrations. Every member can be changed while the server runs. */
export interface Faults {
  /** Answer this many requests by 503 SlowDown. */
  slowDowns: number;
  /** Drop the connection, without an answer, of this many requests after they were done. */
  lostAnswers: number;
  /** Drop the connection of this many Complete requests after the object was made. */
  lostCompletes: number;
  /** Drop the connection that carries this many-th byte of requests from now on, once. */
  dropAtByte: number | undefined;
  /** How far the server's clock is ahead, in ms. */
  clockOffsetMs: number;
  /** Take any checksum and echo none. */
  ignoresChecksums: boolean;
  /** Take any checksum, echo what was claimed, and store one byte wrong. */
  lies: boolean;
  /** Replace an existing object on Complete in spite of `If-None-Match`. */
  ignoresIfNoneMatchOnComplete: boolean;
  /** Refuse every request by 403 AccessDenied. */
  deniesAll: boolean;
}

/** Returns the faults of a server without any. */
export function noFaults(): Faults {
  return {
    slowDowns: 0,
    lostAnswers: 0,
    lostCompletes: 0,
    dropAtByte: undefined,
    clockOffsetMs: 0,
    ignoresChecksums: false,
    lies: false,
    ignoresIfNoneMatchOnComplete: false,
    deniesAll: false,
  };
}
