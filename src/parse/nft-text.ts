import type { NetfilterRuleset } from '../model/netfilter.ts';
import type { Parsed } from '../model/parsed.ts';
import { readBlockLine } from './nft/blocks.ts';
import { initialNftState, type NftState, unread } from './nft/state.ts';
import { markLossyTables } from './nft/xtables.ts';
import { endsInLine } from './text-lines.ts';

/**
 * Reads `nft list ruleset`, `list table` and `list chain`, also with -a, -n, -s and -t (nft 0.9 to 1.1; grammar: nft(8) and src/rule.c of nftables).
 * Tables that hold rules of iptables are marked `lossy`. A rule from whose middle on nothing is understood stays in its chain with an opaque
 * rest, and its line is in `unparsed`.
 * An empty text is complete and means no tables, which is true only if nft ended with status 0: nft 0.9.8 and 1.0.6 die on newer rulesets and
 * print nothing.
 */
export function parseNftText(text: string): Parsed<NetfilterRuleset> {
  const state = initialNftState();
  const lines = text.split('\n');
  for (let index = 0; index < lines.length; index++) {
    const joined = joinOpenBraces(lines, index, state);
    readBlockLine(state, joined.text, index + 1, joined.lines);
    index = joined.last;
  }
  for (const table of state.ruleset.tables)
    if (!table.closed) unread(state, table.line, `table ${table.family} ${table.name}`, 'the table is not closed: the output was cut');
  markLossyTables(state.ruleset);
  return { value: state.ruleset, unparsed: state.unparsed, complete: state.unparsed.length === 0 && endsInLine(text) };
}

interface Joined {
  text: string;
  /** The lines that were joined, for the line numbers of elements. */
  lines: string[];
  last: number;
}

/**
 * A rule or the elements of a set may run over several lines: they are joined until their braces are closed. A line that opens a block (a table,
 * a chain, a set) ends in a brace and stands alone.
 */
function joinOpenBraces(lines: string[], start: number, state: NftState): Joined {
  const first = (lines[start] ?? '').replace(/\r$/, '');
  // Inside a chain or a set no block begins: there a brace at the end of a line opens elements.
  const holdsBlocks = state.block?.type !== 'chain' && state.block?.type !== 'set';
  const opensBlock = holdsBlocks && /\{\s*(#.*)?$/.test(first) && !/=\s*\{\s*$/.test(first);
  if (state.depth === 0 || opensBlock || braceBalance(first) <= 0) return { text: first, lines: [first], last: start };
  const parts = [first];
  let open = braceBalance(first);
  let last = start;
  while (open > 0 && last + 1 < lines.length) {
    last++;
    const line = (lines[last] ?? '').replace(/\r$/, '');
    // A new block inside an open brace means that lines are missing.
    if (/^\s*(table|chain|set|map) \S+.*\{\s*$/.test(line)) return { text: parts.join(' '), lines: parts, last: last - 1 };
    parts.push(line);
    open += braceBalance(line);
  }
  return { text: parts.join(' '), lines: parts, last };
}

/** Opened minus closed braces, outside of quotes. */
function braceBalance(line: string): number {
  let balance = 0;
  for (const character of line.replace(/"(?:[^"\\]|\\.)*"/g, '""')) {
    if (character === '{') balance++;
    else if (character === '}') balance--;
  }
  return balance;
}
