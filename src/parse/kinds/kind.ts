import type { Doubt, Parsed } from '../../model/parsed.ts';

export interface Kind {
  /** As in `k8snet parse --as KIND`. */
  kind: string;
  /** Commands and files whose text it reads, for the help. */
  reads: string;
  parse: (text: string) => Parsed<unknown>;
  /** Parses and names the lines that would be taken whatever they say, such as curl's body: no sign of this kind. */
  read: (text: string) => { parsed: Parsed<unknown>; doubtful: number[] };
  /** A line that only this kind, or hardly another, has. */
  signature: RegExp;
  /** What the value shows to be missing. */
  missing: (value: unknown) => Doubt[];
  /** Why it is not known to be whole where nothing else tells that. */
  otherwise: Doubt;
}

/** What one kind has besides. */
interface Peculiarities<T> {
  /** Lines that would be taken whatever they say. */
  doubtful?: (value: T) => number[];
  missing?: (value: T) => Doubt[];
  otherwise?: Doubt;
}

/** A doubt that the text itself gives. */
export const cut = (says: string): Doubt => ({ is: 'cut', says });
/** A doubt that no text of the kind could take away, or not this one. */
export const open = (says: string): Doubt => ({ is: 'open', says });
export const noHeading = open('its heading is missing');
export const endless = open('it is written until it is ended');
export const nothingIn = open('nothing that it should hold is in it');

/** One entry of the list of kinds. */
export function kind<T>(
  name: string,
  reads: string,
  parse: (text: string) => Parsed<T>,
  signature: RegExp,
  { doubtful, missing, otherwise = open('nothing in it shows that it is whole') }: Peculiarities<T> = {},
): Kind {
  const read = (text: string): { parsed: Parsed<unknown>; doubtful: number[] } => {
    const parsed = parse(text);
    return { parsed, doubtful: doubtful?.(parsed.value) ?? [] };
  };
  // The value that is asked about is one of this kind's own parser.
  return { kind: name, reads, parse, read, signature, missing: (value) => missing?.(value as T) ?? [], otherwise };
}

/** The lines of a body, which says nothing about the tool. */
export function bodyLines({ body }: { body: { line: number }[] }): number[] {
  return body.map(({ line }) => line);
}
