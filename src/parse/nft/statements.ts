import type { Action, CompareOperator, Expression, Match, Statement } from '../../model/netfilter.ts';
import { bitFields } from './bit-fields.ts';
import { type Counting, noteCounter } from './counter.ts';
import { readVerdict } from './elements.ts';
import { asFlags, operators, readExpression, readMapped, readSet, startsExpression, takeObjectName } from './expressions.ts';
import { readNat } from './nat.ts';
import { readPlain } from './plain.ts';
import type { NftReader } from './tokens.ts';
import { constantExpression, durationSeconds } from './values.ts';

export interface NftRule extends Counting {
  comment?: string;
  /** Words `xt match` or `xt target` stand in it. */
  hasXt: boolean;
}

/**
 * Reads the statements of one rule as `nft list ruleset` prints them (nft(8), 0.9 to 1.1). From a word on that is not understood, the rest of the
 * rule becomes one opaque match and one opaque action: it may or may not apply, and what it does is not known.
 */
export function readRule(reader: NftReader): NftRule {
  const rule: NftRule = { statements: [], hasXt: false };
  while (!reader.atEnd()) {
    const start = reader.position();
    if (!readStatement(reader, rule) || reader.position() === start) {
      const text = `${reader.since(start)} ${reader.rest()}`.trim();
      const why = 'not understood';
      rule.statements.push({ role: 'match', kind: 'opaque', text, why }, { role: 'action', kind: 'opaqueAction', text, why });
      break;
    }
  }
  return rule;
}

function readStatement(reader: NftReader, rule: NftRule): boolean {
  if (reader.take('comment')) {
    const comment = reader.next()?.text ?? '';
    rule.comment = rule.comment === undefined ? comment : `${rule.comment} ${comment}`;
    return true;
  }
  if (reader.take('counter')) return readCounter(reader, rule);
  if (reader.take('xt')) return readXt(reader, rule);
  const action = readVerdict(reader) ?? readNat(reader) ?? readPlain(reader);
  if (action !== undefined) {
    rule.statements.push(...action_(action));
    return true;
  }
  return startsExpression(reader) && readExpressionStatement(reader, rule);
}

const action_ = (statements: Statement | Statement[]): Statement[] => (Array.isArray(statements) ? statements : [statements]);

function readCounter(reader: NftReader, rule: NftRule): boolean {
  if (reader.take('name')) {
    const start = reader.position();
    takeObjectName(reader);
    const text = `counter name ${reader.since(start)}`;
    rule.statements.push({ role: 'action', kind: 'fallThrough', name: 'counter', options: [], text });
    return true;
  }
  if (!reader.take('packets')) noteCounter(rule, undefined);
  else {
    const packets = Number(reader.next()?.text);
    reader.take('bytes');
    noteCounter(rule, { packets, bytes: Number(reader.next()?.text) });
  }
  return true;
}

/** An xtables extension that nft can't translate: only its name is left. */
function readXt(reader: NftReader, rule: NftRule): boolean {
  rule.hasXt = true;
  const type = reader.take('match', 'target', 'watcher');
  const name = reader.next()?.text;
  if (type === undefined || name === undefined) return false;
  rule.statements.push(xtStatement(type, name));
  return true;
}

const fallThroughTargets = new Set([
  'LOG',
  'NFLOG',
  'TCPMSS',
  'CHECKSUM',
  'CLASSIFY',
  'TRACE',
  'SET',
  'TTL',
  'HL',
  'DSCP',
  'TOS',
  'TEE',
  'CT',
]);

export function xtStatement(type: string, name: string): Statement {
  const text = `xt ${type} "${name}"`;
  if (type === 'match' && name === 'comment') return { role: 'match', kind: 'comment', text: '' };
  // xt_nfacct without a quota holds for every packet; nft leaves its name out.
  if (type === 'match' && name === 'nfacct') return { role: 'match', kind: 'module', module: 'nfacct', options: [], text };
  const why = 'nft does not show the arguments; iptables-save does';
  if (type === 'match') return { role: 'match', kind: 'opaque', text, why };
  if (fallThroughTargets.has(name) && name !== 'CT') return { role: 'action', kind: 'fallThrough', name, options: [], text };
  return { role: 'action', kind: 'opaqueAction', text, why };
}

function readExpressionStatement(reader: NftReader, rule: NftRule): boolean {
  const start = reader.position();
  const left = readExpression(reader);
  if (reader.take('vmap')) {
    const map = readSet(reader);
    if (map === undefined) return false;
    rule.statements.push({ role: 'action', kind: 'verdictMap', key: left, map, text: reader.since(start) });
    return true;
  }
  if (left.type === 'field' && reader.take('set')) {
    rule.statements.push(readAssignment(reader, left.name, start));
    return true;
  }
  const match = readComparison(reader, left, start);
  if (match === undefined) return false;
  rule.statements.push(match);
  return true;
}

function readAssignment(reader: NftReader, target: string, start: number): Action {
  const value = readMapped(reader);
  return { role: 'action', kind: 'assign', target, value, text: reader.since(start) };
}

const comparisons = new Map<string, CompareOperator>(
  Object.entries({
    '==': '==',
    eq: '==',
    '!=': '!=',
    ne: '!=',
    '<': '<',
    lt: '<',
    '<=': '<=',
    le: '<=',
    '>': '>',
    gt: '>',
    '>=': '>=',
    ge: '>=',
  }),
);

const zero: Expression = { type: 'value', value: { type: 'literal', text: '0' } };

function readComparison(reader: NftReader, left: Expression, start: number): Match | undefined {
  // `tcp flags ! syn` (nft 1.0.2 and later): none of these bits.
  if (reader.take('!')) {
    const bits = readRight(reader);
    const masked: Expression | undefined = bits && { type: 'binary', operator: '&', left, right: bits };
    return masked && { role: 'match', kind: 'compare', left: masked, operator: '==', right: zero, text: reader.since(start) };
  }
  const word = reader.take(...comparisons.keys());
  const operator = word === undefined ? '==' : (comparisons.get(word) ?? '==');
  const set = readSet(reader);
  const right: Expression | undefined = set === undefined ? readRight(reader) : { type: 'set', set };
  if (right === undefined) return undefined;
  inSeconds(left, right);
  // `tcp flags syn / fin,syn,rst,ack` (nft 1.0.4 and later) is `tcp flags & (fin | syn | rst | ack) == syn`.
  if (reader.take('/')) {
    const mask = readRight(reader);
    if (mask === undefined) return undefined;
    const masked: Expression = { type: 'binary', operator: '&', left, right: mask };
    return { role: 'match', kind: 'compare', left: masked, operator, right, text: reader.since(start) };
  }
  const isOfBits = word === undefined && set === undefined && left.type === 'field' && bitFields.has(left.name);
  return { role: 'match', kind: 'compare', left, operator: isOfBits ? 'in' : operator, right, text: reader.since(start) };
}

/** The one field that is a duration is written as one in text (`1h`), and in seconds in JSON. */
function inSeconds(left: Expression, right: Expression): void {
  if (left.type !== 'field' || left.name !== 'ct expiration' || right.type !== 'value' || right.value.type !== 'literal') return;
  const seconds = durationSeconds(right.value.text);
  if (seconds !== undefined) right.value = { type: 'literal', text: String(seconds) };
}

/** Constants: one, a list with `|`, or a concatenation. */
function readRight(reader: NftReader): Expression | undefined {
  if (reader.atEnd()) return undefined;
  if (reader.peek()?.text === '(') return readExpression(reader);
  const parts: Expression[] = [];
  do {
    const token = reader.next();
    if (token === undefined) return undefined;
    parts.push(
      token.quoted && reader.peek()?.text.startsWith('-"') ? quotedRange(token.text, reader) : readBits(constantExpression(token), reader),
    );
  } while (reader.take('.'));
  return parts.length === 1 ? parts[0] : { type: 'concat', parts };
}

/** `"08:00"-"17:30"` */
function quotedRange(from: string, reader: NftReader): Expression {
  const to = (reader.next()?.text ?? '').replace(/^-"|"$/g, '');
  return { type: 'value', value: { type: 'range', from, to } };
}

function readBits(first: Expression, reader: NftReader): Expression {
  let left = first;
  for (let token = reader.peek(); token !== undefined && !token.quoted && operators.has(token.text); token = reader.peek()) {
    const operator = operators.get(token.text) ?? '|';
    reader.next();
    const right = reader.next();
    if (right === undefined) return { type: 'opaque', text: token.text };
    left = { type: 'binary', operator, left, right: constantExpression(right) };
  }
  return asFlags(left);
}
