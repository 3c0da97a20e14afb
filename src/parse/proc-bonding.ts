import type { HasLine, Parsed } from '../model/parsed.ts';
import { applyRules, type LineRule, linesOf } from './line-rules.ts';

/** /proc/net/bonding/DEV: settings of the bond, and of each of its slaves. */
export interface Bonding {
  settings: BondSetting[];
  slaves: (HasLine & { name: string; settings: BondSetting[] })[];
  otherLines: number[];
}

export interface BondSetting extends HasLine {
  key: string;
  value: string;
}

/**
 * Reads /proc/net/bonding/DEV (kernel drivers/net/bonding/bond_procfs.c, 3.10 to 6.18): `Key: value` lines; a `Slave Interface` line opens a slave. Indented 802.3ad
 * blocks keep their keys. There is no end mark.
 */
export function parseProcBonding(text: string): Parsed<Bonding> {
  const value: Bonding = { settings: [], slaves: [], otherLines: [] };
  const unparsed = applyRules(linesOf(text), value, rules, 'no line of /proc/net/bonding');
  const isBond = value.otherLines.length > 0 || value.settings.some(({ key }) => key === 'Bonding Mode');
  return { value, unparsed, complete: unparsed.length === 0 && isBond && text.endsWith('\n') };
}

const rules: readonly LineRule<Bonding>[] = [
  [
    /^Ethernet Channel Bonding Driver: v\S+|^802\.3ad info$|^Active Aggregator Info:$|^details (?:actor|partner) lacp pdu:$|^Slave queue ID: \d+$|^bond bond\S* has no active aggregator$/,
    ({ otherLines }, _groups, at) => otherLines.push(at.line),
  ],
  [/^Slave Interface: (\S+)$/, ({ slaves }, [, name = ''], { line }) => slaves.push({ line, name, settings: [] })],
  [
    /^\s*([A-Z802a-z][\w ().,/-]*):(.*)$/,
    ({ settings, slaves }, [, key = '', value = ''], { line }) =>
      (slaves.at(-1)?.settings ?? settings).push({ line, key: key.trimEnd(), value: value.trim() }),
  ],
];
