import type { BaseChain, Chain, Flowtable, NamedObject, NamedSet, NetfilterRuleset, Table } from '../../model/netfilter.ts';
import { elementText, isStringType } from './print-expressions.ts';
import { type RuleSurroundings, ruleText } from './print-rules.ts';

/**
 * Writes a ruleset of nft in the form of `nft list ruleset`, for `nft -f` (nft(8), 0.9 to 1.1). Rules are written from their statements, not from
 * their text, so that what comes out is what was understood. Tables that iptables-nft manages can't be written: nft does not show what is in them.
 */
export const printNft = (ruleset: NetfilterRuleset): string => ruleset.tables.map((table) => `${tableLines(table).join('\n')}\n`).join('');

function tableLines(table: Table): string[] {
  const partsOf = (map: string): number => table.sets.find(({ name }) => name === map)?.dataType.length ?? 0;
  return block(`table ${table.family} ${nameText(table.name)}`, [
    ...commentLine(table.comment),
    ...(table.dormant ? ['flags dormant'] : []),
    ...table.objects.flatMap(objectLines),
    ...table.sets.flatMap(setLines),
    ...table.flowtables.flatMap(flowtableLines),
    ...table.chains.flatMap((chain) => chainLines(chain, { family: table.family, partsOf })),
  ]);
}

const block = (head: string, lines: string[]): string[] => [`${head} {`, ...lines.map((line) => `\t${line}`), '}'];
const commentLine = (comment: string | undefined): string[] => (comment === undefined ? [] : [`comment "${comment}"`]);

/** Names that are no plain words stand in quotes, which nft takes since 1.0.7; before that there were none of them. */
const nameText = (name: string): string => (/^[A-Za-z][\w/.-]*$/.test(name) ? name : `"${name}"`);

const objectLines = ({ type, name, comment, text }: NamedObject): string[] =>
  block(`${type} ${nameText(name)}`, [...commentLine(comment), ...text.split('\n')]);

function chainLines(chain: Chain, around: RuleSurroundings): string[] {
  return block(`chain ${nameText(chain.name)}`, [
    ...commentLine(chain.comment),
    ...(chain.base === undefined ? [] : [baseLine(chain.base)]),
    ...chain.rules.map((rule) => ruleText(rule, around)),
  ]);
}

function baseLine({ type, hook, priority, policy, devices }: BaseChain): string {
  const at =
    devices.length === 0 ? '' : devices.length === 1 ? ` device "${devices[0]}"` : ` devices = { ${devices.map(quoted).join(', ')} }`;
  return `type ${type} hook ${hook}${at} priority ${priority};${policy === 'unknown' ? '' : ` policy ${policy};`}`;
}

const quoted = (text: string): string => `"${text}"`;

const flowtableLines = ({ name, hook, priority, devices, flags }: Flowtable): string[] =>
  block(`flowtable ${nameText(name)}`, [
    `hook ${hook} priority ${priority}`,
    ...(devices.length === 0 ? [] : [`devices = { ${devices.map(quoted).join(', ')} }`]),
    ...flags.map((flag) => (flag === 'offload' ? 'flags offload' : flag)),
  ]);

function setLines(set: NamedSet): string[] {
  const data = set.dataType.length === 0 ? '' : ` : ${set.dataType.join(' . ')}`;
  const elements = set.elements.map((element) => elementText(element, set.keyType.map(isStringType), set.dataType.map(isStringType)));
  return block(`${set.kind} ${nameText(set.name)}`, [
    `${isTypeof(set) ? 'typeof' : 'type'} ${set.keyType.join(' . ')}${data}`,
    ...(set.size === undefined ? [] : [`size ${set.size}`]),
    ...(set.flags.length === 0 ? [] : [`flags ${set.flags.join(',')}`]),
    ...(set.statements ?? []),
    ...(set.timeout === undefined ? [] : [`timeout ${set.timeout}s`]),
    ...(set.gcInterval === undefined ? [] : [`gc-interval ${set.gcInterval}s`]),
    ...(set.autoMerge ? ['auto-merge'] : []),
    ...(set.policy === undefined ? [] : [`policy ${set.policy}`]),
    ...commentLine(set.comment),
    ...(elements.length === 0 ? [] : [`elements = { ${elements.join(', ')} }`]),
  ]);
}

/** Names of types are one word; what `typeof` names are expressions, of which all but a few have two (`ip saddr`, `iifname`). */
const isTypeof = ({ keyType }: NamedSet): boolean => keyType.some((type) => type.includes(' ') || /^[io]if(?:name)?$/.test(type));
