import type { Action, SetElement, Value } from '../../model/netfilter.ts';
import type { NftReader, NftToken } from './tokens.ts';
import { constantOf, durationSeconds } from './values.ts';

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
  const element: SetElement = { line, key: readValues(reader) };
  readAttributes(reader, element);
  if (reader.take(':')) {
    element.data = readData(reader);
    readAttributes(reader, element);
  }
  return element;
}

function readValues(reader: NftReader): Value[] {
  const first = reader.next();
  const values = first === undefined ? [] : [constantOf(first)];
  while (reader.take('.')) {
    const token = reader.next();
    if (token !== undefined) values.push(constantOf(token));
  }
  // A list that grew keeps room for 16 more, and a node has a hundred thousand elements.
  return values.length > 1 ? values.slice() : values;
}

/** `timeout 30m expires 29m`, `counter packets 5 bytes 420`, `limit rate 5/minute`, `comment "x"`, in any order. */
function readAttributes(reader: NftReader, element: SetElement): void {
  for (let token = reader.peek(); token !== undefined && !endsElement(token); token = reader.peek()) {
    reader.next();
    if (!token.quoted) attributes.get(token.text)?.(reader, element);
  }
}

const attributes = new Map<string, (reader: NftReader, element: SetElement) => void>(
  Object.entries({
    comment: (reader: NftReader, element: SetElement) => {
      const text = reader.next()?.text;
      if (text !== undefined) element.comment = text;
    },
    timeout: (reader: NftReader, element: SetElement) => {
      const seconds = durationSeconds(reader.next()?.text ?? '');
      if (seconds !== undefined) element.timeout = seconds;
    },
    expires: (reader: NftReader, element: SetElement) => {
      const seconds = durationSeconds(reader.next()?.text ?? '');
      if (seconds !== undefined) element.expires = seconds;
    },
    counter: (reader: NftReader, element: SetElement) => {
      if (!reader.take('packets')) return;
      const packets = Number(reader.next()?.text);
      reader.take('bytes');
      element.counters = { packets, bytes: Number(reader.next()?.text) };
    },
  }),
);

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
