/** Values nobody can change any more. @module */

/**
 * Freezes a value of objects and lists as deep as it goes, and returns it. What is neither (a date, a map, an instance of
 * a class) stays as it is.
 */
export function deepFreeze<T>(value: T): T {
  freeze(value, new Set());
  return value;
}

/** What is frozen already may hold what is not. */
function freeze(value: unknown, seen: Set<unknown>): void {
  if (typeof value !== "object" || value === null || seen.has(value)) return;
  const prototype = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return;
  seen.add(Object.freeze(value));
  for (const part of Object.values(value)) freeze(part, seen);
}

/** A copy of data that nobody can change. */
export function frozenCopy<T>(value: T): T {
  return deepFreeze(structuredClone(value));
}
