/** Values nobody can change any more. @module */

/**
 * Freezes a value of objects and lists as deep as it goes, and returns it. What is neither (a date, a map, an instance of
 * a class) stays as it is.
 */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  const prototype = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
  return value;
}

/** A copy of data that nobody can change. */
export function frozenCopy<T>(value: T): T {
  return deepFreeze(structuredClone(value));
}
