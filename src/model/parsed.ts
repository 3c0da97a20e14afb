/**
 * What every parser returns. A parser is a pure function of text that never throws, never drops a line and never guesses:
 * a line is either in `value` or in `unparsed`.
 */
export interface Parsed<T> {
  value: T;
  /** Lines that the parser did not understand, in input order. */
  unparsed: UnparsedLine[];
  /**
   * True only when the text is known to be whole (for example every table of an iptables-save ends in COMMIT) and nothing was left unparsed.
   * A claim that something is *not* there needs this to be true.
   */
  complete: boolean;
}

export interface UnparsedLine {
  /** 1-based line number in the input. */
  line: number;
  text: string;
  why: string;
}

/**
 * Why a text is not known to be whole. `cut`: the text itself shows that something is missing (a table without its COMMIT, a last line without an end); `open`: nothing in it would
 * show that.
 */
export interface Doubt {
  is: 'cut' | 'open';
  /** For people, without a full stop: `table nat has no COMMIT`. */
  says: string;
}

/** A parsed thing that remembers the 1-based line of the input that it came from, so that a report can quote it. */
export interface HasLine {
  line: number;
}
