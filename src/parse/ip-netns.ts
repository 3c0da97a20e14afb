import { z } from 'zod';
import type { HasLine, Parsed } from '../model/parsed.ts';
import { looksLikeJson, parseJsonItems } from './json-items.ts';
import { type Attempt, parseEachLine, type TextLine } from './text-lines.ts';

export interface NamedNamespace extends HasLine {
  text: string;
  name: string;
  /** Id as seen from the namespace that asked: what `link-netnsid` refers to. */
  id?: number;
}

/** `ip netns [list]`, `ip netns list-id` (ids without a name are unparsed) and both with `-j`, iproute2 3.10 to 6.15: named namespaces only (containerd gives pods a name such as `cni-UUID`). */
export const parseIpNetns = (text: string): Parsed<NamedNamespace[]> =>
  looksLikeJson(text) ? parseJsonItems(text, schema, fromJson) : parseEachLine(text, parseRow);

const parseRow = (line: TextLine): Attempt<NamedNamespace> => {
  const ofId = /^nsid ([0-9]{1,10}) \(iproute2 netns name: ([^\s()/]+)\)\s*$/.exec(line.text);
  if (ofId !== null) return { ok: { ...line, name: ofId[2] ?? '', id: Number(ofId[1]) } };
  const match = /^([^\s()/]+)(?: \(id: ([0-9]{1,10})\))?\s*$/.exec(line.text);
  if (match === null) return { why: 'not a namespace' };
  return { ok: { ...line, name: match[1] ?? '', ...(match[2] === undefined ? {} : { id: Number(match[2]) }) } };
};

const schema = z.looseObject({ name: z.string(), id: z.number().optional(), nsid: z.number().optional() });

const fromJson = ({ name, id, nsid = id }: z.output<typeof schema>, line: number): NamedNamespace => ({
  line,
  text: name,
  name,
  ...(nsid === undefined ? {} : { id: nsid }),
});
