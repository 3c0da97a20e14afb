import type { TableFamily } from '../model/netfilter.ts';
import type { HasLine, Parsed } from '../model/parsed.ts';
import { type Attempt, parseEachLine, type TextLine } from './text-lines.ts';

/** The name of a table and nothing that is in it. */
export interface TableName extends HasLine {
  family: TableFamily;
  name: string;
}

/** `nft list tables` (nft 0.9 to 1.1): a table a line, without braces. */
export const parseNftTables = (text: string): Parsed<TableName[]> => parseEachLine(text, tableNameOf);

const tableNameOf = ({ line, text }: TextLine): Attempt<TableName> => {
  const match = /^table (ip|ip6|inet|arp|bridge|netdev) ([^\s{]+)\s*$/.exec(text);
  return match === null ? { why: 'not the name of a table' } : { ok: { line, family: match[1] as TableFamily, name: match[2] ?? '' } };
};
