/** Narrower than this nothing useful can be laid out, wider than this a sentence is hard to read. */
const NARROWEST = 40;
const WIDEST = 120;

/** The columns to lay prose out in, for a terminal of `width` columns; anything that is not a number counts as 80. */
export function usableWidth(width: number): number {
  return Number.isFinite(width) ? Math.min(Math.max(Math.floor(width), NARROWEST), WIDEST) : 80;
}

/**
 * Breaks prose into lines of at most `width` columns. A word longer than that, and a command between backticks, stays in one piece even when
 * it juts out, because it must survive copy and paste.
 */
export function wrap(text: string, width: number, firstWidth = width): string[] {
  const lines: string[] = [];
  let line = '';
  for (const [word] of text.matchAll(WORDS)) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && columns(longer) > (lines.length === 0 ? firstWidth : width)) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }

  return line === '' ? lines : [...lines, line];
}

export interface ParagraphOptions {
  /** Stands before the first line; the others are indented as far as the text behind it, or by `hang`. */
  label?: string;
  /** Columns before every line. */
  indent?: number;
  hang?: number;
  width: number;
  /** Colours the label. */
  paint?: (text: string) => string;
}

/** Prose behind a label, such as a list item behind its dash. An empty text gives the label alone. */
export function paragraph(text: string, { label = '', indent = 0, hang, width, paint = plainly }: ParagraphOptions): string[] {
  const head = label === '' ? '' : `${label} `;
  const further = hang ?? columns(head);
  const [first = '', ...others] = wrap(text, width - indent - further, width - indent - columns(head));
  const margin = ' '.repeat(indent);
  return [
    `${margin}${label === '' ? '' : `${paint(label)} `}${first}`.trimEnd(),
    ...others.map((line) => `${margin}${' '.repeat(further)}${line}`),
  ];
}

export interface Cell {
  text: string;
  paint?: (text: string) => string;
}

/**
 * Rows in columns, two blanks apart, as kubectl prints them; the last column is wrapped and may be long. A cell of another column that is
 * longer than `widest` pushes the rest of its row to the right instead of the rest of the table.
 */
export function table(
  rows: readonly (readonly Cell[])[],
  { indent, width, widest = 34 }: { indent: number; width: number; widest?: number },
): string[] {
  const widths = columnWidths(rows, widest);
  return rows.flatMap((row) => {
    const head = row.slice(0, -1).map((cell, index) => padded(cell, widths[index] ?? 0));
    const { text, paint = plainly } = row.at(-1) ?? { text: '' };
    const start = indent + columns(head.join(''));
    // A word that is too long for the last column gets a line of its own, below.
    const below = start + longestWord(text) > width;
    const hang = below ? indent + (widths[0] ?? 0) + 2 : start;
    const [first = '', ...others] = wrap(text, width - hang);
    const lines = others.map((line) => `${' '.repeat(hang)}${paint(line)}`);
    const margin = `${' '.repeat(indent)}${head.join('')}`;
    return below ? [margin.trimEnd(), `${' '.repeat(hang)}${paint(first)}`, ...lines] : [`${margin}${paint(first)}`.trimEnd(), ...lines];
  });
}

/** How many rows of a terminal these lines take, where longer lines are broken by the terminal itself. */
export function screenRows(lines: readonly string[], width: number): number {
  return lines.reduce((rows, line) => rows + Math.max(1, Math.ceil(columns(line) / width)), 0);
}

/** At most `most` characters, and in words how many were left out. */
export function cut(text: string, most: number): string {
  if (text.length <= most) {
    return text;
  }

  const kept = text.slice(0, most).replace(/[\uD800-\uDBFF]$/u, '');
  return `${kept}… (${text.length - kept.length} more characters)`;
}

// Runs of anything but blanks, where a pair of backticks and what is between them count as one piece.
const WORDS = /(?:[^ \t\n`]|`[^`]*`|`)+/gu;
const PLAIN = /^[ -~]*$/u;
const COLOURS = /\u001B\[[0-9;]*m/gu;

function columns(text: string): number {
  // Nearly all text is plain ASCII, and this is asked for every word.
  return PLAIN.test(text) ? text.length : Array.from(text.replace(COLOURS, '')).length;
}

function longestWord(text: string): number {
  return Array.from(text.matchAll(WORDS)).reduce((longest, [word]) => Math.max(longest, columns(word)), 0);
}

function columnWidths(rows: readonly (readonly Cell[])[], widest: number): number[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) {
      const own = columns(cell.text);
      widths[index] = Math.max(widths[index] ?? 0, own > widest ? 0 : own);
    }
  }

  return widths;
}

function padded({ text, paint = plainly }: Cell, width: number): string {
  return `${paint(text)}${' '.repeat(Math.max(0, width - columns(text)) + 2)}`;
}

function plainly(text: string): string {
  return text;
}
