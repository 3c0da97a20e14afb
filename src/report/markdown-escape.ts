/**
 * Prose for GitHub and GitLab Markdown, on one line: shows the text as it is and does nothing else. No markup, no HTML, and nothing that
 * pings a person or links an issue: a word that GitHub or GitLab would turn into a mention, a reference, a link or an emoji becomes a code
 * span, in which neither looks for such things (GitHub Docs, "Autolinked references and URLs"; GitLab Docs, "GitLab-specific references").
 * What stands between backticks becomes a code span too.
 */
export function escapeProse(text: string): string {
  const words = Array.from(text.trim().matchAll(PIECES), ([piece]) => escapePiece(piece));
  return words.join('').replace(BLOCK_START, '$1\\$2');
}

/** Any one line of text as a code span: the fence is longer than every run of backticks in it (CommonMark 0.31, section 6.1). */
export function codeSpan(text: string): string {
  const fence = '`'.repeat(longestRun(text) + 1);
  const padding = /^`|`$|^ .* $/u.test(text) ? ' ' : '';
  return text.trim() === '' ? '` `' : `${fence}${padding}${text}${padding}${fence}`;
}

/** Lines as a code block, with a fence longer than every run of backticks in them (CommonMark 0.31, section 4.5). */
export function codeBlock(lines: readonly string[], language = 'text'): string {
  const fence = '`'.repeat(lines.reduce((longest, line) => Math.max(longest, longestRun(line) + 1), 3));
  return [`${fence}${language}`, ...lines, fence].join('\n');
}

/**
 * A cell of a table, where `|` ends the cell even inside of a code span, unless an odd number of backslashes stands before it (GitHub
 * Flavored Markdown, section 4.10).
 */
export function tableCell(escaped: string): string {
  return escaped.replace(/(\\*)\|/gu, (pipe, before: string) => (before.length % 2 === 1 ? pipe : `${before}\\|`));
}

/** Text inside of HTML, where Markdown is not read. */
export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

// A code span, blanks, or a word.
const PIECES = /`[^`]+`|\s+|[^\s`]+|`/gu;
/** A list item or a rule; headings, quotes and fences are escaped wherever they stand. */
const BLOCK_START = /^(\d*)([-+=.)])(?=\s|$|[-=])/u;
/** Parentheses and stops around a word are not a part of it. */
const AROUND = new Set('()[]"\'.,;:!?');
const RISKY = [
  /@/u, // mention, mail address, commit of another repository
  /#\w/u, // issue, here or in another repository
  /(?:^|[^\w])[!&~%$^*]\w/u, // merge request, epic, label, milestone, snippet
  /[\w.-][!&]\d/u, // GitLab group/project!1
  /^GH-\d/iu,
  /:\/\/|www\.|mailto:|xmpp:/iu,
  /:\w+:/u, // emoji; also in IPv6 addresses such as fd00:100:1::5
  /^[\da-f]{7,40}$/iu, // a commit
];

function escapePiece(piece: string): string {
  if (/^`.+`$/u.test(piece)) {
    return codeSpan(piece.slice(1, -1));
  }

  if (!RISKY.some((risk) => risk.test(piece))) {
    return escapeMarkup(piece);
  }

  const [start, end] = core(piece);
  return `${escapeMarkup(piece.slice(0, start))}${codeSpan(piece.slice(start, end))}${escapeMarkup(piece.slice(end))}`;
}

/** Where the word without what stands around it begins and ends, unless what stands around it is what makes it risky. */
function core(piece: string): [number, number] {
  let start = 0;
  let end = piece.length;
  while (start < end && AROUND.has(piece.charAt(start))) {
    start += 1;
  }

  while (end > start && AROUND.has(piece.charAt(end - 1))) {
    end -= 1;
  }

  return RISKY.some((risk) => risk.test(piece.slice(start, end))) ? [start, end] : [0, piece.length];
}

function escapeMarkup(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replace(/[\\`*_{}[\]|~#$>]/gu, '\\$&');
}

function longestRun(text: string): number {
  return Array.from(text.matchAll(/`+/gu)).reduce((longest, [run]) => Math.max(longest, run.length), 0);
}
