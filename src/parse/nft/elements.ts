import type { Action, SetElement, Value } from '../../model/netfilter.ts';
import type { NftReader, NftToken } from './tokens.ts';
import { constantOf } from './values.ts';

/** Reads `{ element, element }`, with the brace still ahead. */
export function anonymousElements(reader: NftReader): SetElement[] {
  reader.take('{');
  return readElements(reader);
}

/** Reads the elements of a set or map up to the closing brace: `key`, `key timeout 1m comment "x"`, `key : data`. */
export function readElements(reader: NftReader): SetElement[] {
  const elements: SetElement[] = [];
  while (!reader.atEnd()) {
    if (reader.take('}')) return elements;
    if (reader.take(',')) continue;
    elements.push(readElement(reader));
  }
  return elements;
}

function readElement(reader: NftReader): SetElement {
  const line = reader.peek()?.line ?? 0;
  const key = readValues(reader);
  const comment = skipAttributes(reader);
  const data = reader.take(':') ? readData(reader) : undefined;
  const later = skipAttributes(reader);
  const said = comment ?? later;
  return { line, key, ...(data === undefined ? {} : { data }), ...(said === undefined ? {} : { comment: said }) };
}

function readValues(reader: NftReader): Value[] {
  const first = reader.next();
  const values = first === undefined ? [] : [constantOf(first)];
  while (reader.take('.')) {
    const token = reader.next();
    if (token !== undefined) values.push(constantOf(token));
  }
  return values;
}

/** `timeout 30m expires 29m`, `counter packets 5 bytes 420`, `limit rate 5/minute`, `comment "x"`, in any order. */
function skipAttributes(reader: NftReader): string | undefined {
  let comment: string | undefined;
  for (let token = reader.peek(); token !== undefined && !endsElement(token); token = reader.peek()) {
    reader.next();
    if (token.text === 'comment' && !token.quoted) comment = reader.next()?.text;
  }
  return comment;
}

const endsElement = (token: NftToken): boolean => !token.quoted && [',', '}', ':'].includes(token.text);

function readData(reader: NftReader): Value[] | Action {
  return readVerdict(reader) ?? readValues(reader);
}

/** `accept`, `drop`, `return`, `continue`, `jump X`, `goto X`; undefined when no verdict stands here. */
export function readVerdict(reader: NftReader): Action | undefined {
  const word = reader.take('accept', 'drop', 'return', 'continue', 'jump', 'goto');
  if (word === undefined) return undefined;
  if (word === 'jump' || word === 'goto') return { role: 'action', kind: word, chain: reader.next()?.text ?? '' };
  return { role: 'action', kind: word as 'accept' | 'drop' | 'return' | 'continue' };
}
