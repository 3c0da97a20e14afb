export interface NftToken {
  text: string;
  /** Stood in double quotes. */
  quoted: boolean;
  line: number;
}

/** Words that may follow the prefix of a log statement; nft prints quotes inside the prefix unescaped, so that these show where it ends. */
const afterPrefix =
  /\s*($|#|[;}]|(?:group|level|flags|snaplen|queue-threshold|comment|counter|accept|drop|return|jump|goto|reject|continue|queue|limit)\b)/y;

/**
 * Splits nft text into words: blanks separate; `{ } ; ( )` and a comma or semicolon at the end of a word stand alone; a colon and a full stop only
 * when they stand free, because names and addresses hold them, or before a word (`redirect to :tcp dport map`). A `#` that stands free begins a comment that runs to the end of the line.
 */
export function nftTokens(line: string, lineNumber: number): { tokens: NftToken[]; remark: string } | undefined {
  const tokens: NftToken[] = [];
  let position = 0;
  while (position < line.length) {
    const character = line[position] ?? '';
    if (isBlank(line.charCodeAt(position))) position++;
    else if (character === '#') return { tokens, remark: line.slice(position) };
    else if (character === '"') {
      const end = quoteEnd(line, position, tokens.at(-1)?.text === 'prefix');
      if (end < 0) return undefined;
      tokens.push({ text: line.slice(position + 1, end), quoted: true, line: lineNumber });
      position = end + 1;
    } else if ('{};(),'.includes(character) || (character === ':' && /[a-z]/.test(line[position + 1] ?? ''))) {
      tokens.push({ text: character, quoted: false, line: lineNumber });
      position++;
    } else {
      const end = wordEnd(line, position);
      tokens.push({ text: line.slice(position, end), quoted: false, line: lineNumber });
      position = end;
    }
  }
  return { tokens, remark: '' };
}

/** A word ends at a blank, a brace or parenthesis, or at a comma or semicolon with a blank or nothing behind it. */
function wordEnd(line: string, start: number): number {
  for (let end = start; end < line.length; end++) {
    const code = line.charCodeAt(end);
    if (isBlank(code) || isBracket(code)) return end;
    if ((code === comma || code === semicolon) && endsAfter(line, end + 1)) return end === start ? end + 1 : end;
  }
  return line.length;
}

const comma = 44;
const semicolon = 59;
const isBlank = (code: number): boolean => code === 32 || code === 9 || code === 13;
/** `(`, `)`, `{`, `}` */
const isBracket = (code: number): boolean => code === 40 || code === 41 || code === 123 || code === 125;
const endsAfter = (line: string, at: number): boolean =>
  at >= line.length || isBlank(line.charCodeAt(at)) || isBracket(line.charCodeAt(at));

function quoteEnd(line: string, start: number, isPrefix: boolean): number {
  for (let end = line.indexOf('"', start + 1); end >= 0; end = line.indexOf('"', end + 1)) {
    if (line[end - 1] === '\\') continue;
    afterPrefix.lastIndex = end + 1;
    if (!isPrefix || afterPrefix.test(line)) return end;
  }
  return -1;
}

export interface NftReader {
  peek: (ahead?: number) => NftToken | undefined;
  next: () => NftToken | undefined;
  /** Takes the next word if it is this one. */
  take: (...words: string[]) => string | undefined;
  atEnd: () => boolean;
  /** The words that are left, joined. */
  rest: () => string;
  position: () => number;
  /** The words since a position, joined. */
  since: (start: number) => string;
}

export function nftReader(tokens: readonly NftToken[]): NftReader {
  let position = 0;
  const text = (from: readonly NftToken[]): string => from.map((token) => (token.quoted ? `"${token.text}"` : token.text)).join(' ');
  return {
    peek: (ahead = 0) => tokens[position + ahead],
    next: () => tokens[position++],
    take: (...words) => {
      const token = tokens[position];
      if (token === undefined || token.quoted || !words.includes(token.text)) return undefined;
      position++;
      return token.text;
    },
    atEnd: () => position >= tokens.length,
    rest: () => text(tokens.slice(position)),
    position: () => position,
    since: (start) => text(tokens.slice(start, position)),
  };
}
