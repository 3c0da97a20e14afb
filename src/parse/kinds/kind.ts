import type { Parsed } from '../../model/parsed.ts';

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
}

/** One entry of the list of kinds. */
export function kind<T>(
  name: string,
  reads: string,
  parse: (text: string) => Parsed<T>,
  signature: RegExp,
  doubtful?: (value: T) => number[],
): Kind {
  const read = (text: string): { parsed: Parsed<unknown>; doubtful: number[] } => {
    const parsed = parse(text);
    return { parsed, doubtful: doubtful?.(parsed.value) ?? [] };
  };
  return { kind: name, reads, parse, read, signature };
}

/** The lines of a body, which says nothing about the tool. */
export function bodyLines({ body }: { body: { line: number }[] }): number[] {
  return body.map(({ line }) => line);
}
