/** Reading JSON that others wrote: every complaint says where in the document it belongs. */

/** A saved form that this version cannot show; the message names the place. */
export class TurnFormatError extends Error {
  override readonly name = "TurnFormatError";
}

/** One value and where it stands in the document, so that every complaint can say where. Keys nobody asks for are ignored. */
export class Part {
  constructor(
    readonly value: unknown,
    readonly path: string,
  ) {}

  fail(expected: string): never {
    const found = this.value === undefined ? "nothing" : JSON.stringify(this.value).slice(0, 40);
    throw new TurnFormatError(`${this.path} should be ${expected}, but is ${found}`);
  }

  get(key: string): Part {
    if (typeof this.value !== "object" || this.value === null || Array.isArray(this.value))
      this.fail("an object");
    const own = Object.hasOwn(this.value, key) ? (this.value as Record<string, unknown>)[key] : undefined;
    return new Part(own, `${this.path}.${key}`);
  }

  text(): string {
    return typeof this.value === "string" ? this.value : this.fail("text");
  }

  amount(): number {
    return typeof this.value === "number" && Number.isFinite(this.value) ? this.value : this.fail("a number");
  }

  /** A number that may not be below zero: seconds, tokens, rates. */
  size(): number {
    const amount = this.amount();
    return amount >= 0 ? amount : this.fail("0 or more");
  }

  oneOf<T extends string>(names: readonly T[]): T {
    return names.find((name) => name === this.value) ?? this.fail(`one of ${names.join(", ")}`);
  }

  list<T>(read: (part: Part) => T): readonly T[] {
    if (!Array.isArray(this.value)) this.fail("a list");
    return this.value.map((item: unknown, index) => read(new Part(item, `${this.path}[${index}]`)));
  }

  orNull<T>(read: (part: Part) => T): T | null {
    return this.value === null ? null : read(this);
  }

  /** As `orNull`, and null also for what is not there. */
  orAbsent<T>(read: (part: Part) => T): T | null {
    return this.value === undefined ? null : this.orNull(read);
  }
}

export const text = (part: Part): string => part.text();
export const amount = (part: Part): number => part.amount();
export const size = (part: Part): number => part.size();
