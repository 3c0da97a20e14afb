import type { Chain, Rule } from '../../model/netfilter.ts';

/** The rules of chains while they are read, so that rules which are put before others (`-I CHAIN 1`, by the hundred thousand) move few of them each. */
export interface RuleSequences {
  /** Puts a rule at a position, counted from 1 (iptables(8), `-I`), or behind all others. */
  add: (chain: Chain, rule: Rule, position?: number) => void;
  /** Writes into the chains what was added to them. */
  finish: () => void;
}

export function ruleSequences(): RuleSequences {
  const inserted = new Map<Chain, Rule[][]>();
  return {
    add: (chain, rule, position) => {
      const pieces = inserted.get(chain);
      if (pieces !== undefined) insert(pieces, rule, position ?? Number.POSITIVE_INFINITY);
      else if (position === undefined) chain.rules.push(rule);
      else {
        const first = piecesOf(chain.rules);
        inserted.set(chain, first);
        insert(first, rule, position);
      }
    },
    finish: () => {
      for (const [chain, pieces] of inserted) chain.rules = pieces.flat();
    },
  };
}

/** So many rules at most are moved by one that comes before them. */
const longest = 1024;

function piecesOf(rules: readonly Rule[]): Rule[][] {
  const pieces: Rule[][] = [];
  for (let start = 0; start < rules.length; start += longest / 2) pieces.push(rules.slice(start, start + longest / 2));
  return pieces.length === 0 ? [[]] : pieces;
}

function insert(pieces: Rule[][], rule: Rule, position: number): void {
  const { index, offset } = Number.isFinite(position)
    ? placeOf(pieces, Math.max(0, position - 1))
    : { index: pieces.length - 1, offset: longest };
  const piece = pieces[index] ?? [];
  piece.splice(offset, 0, rule);
  if (piece.length >= longest) pieces.splice(index + 1, 0, piece.splice(longest / 2));
}

/** The piece that holds a place, and where in it; a place behind all rules is at the end of the last. */
function placeOf(pieces: readonly Rule[][], place: number): { index: number; offset: number } {
  let before = 0;
  for (const [index, piece] of pieces.entries()) {
    if (place <= before + piece.length || index === pieces.length - 1) return { index, offset: place - before };
    before += piece.length;
  }
  return { index: 0, offset: 0 };
}
