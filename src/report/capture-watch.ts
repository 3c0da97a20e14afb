import type { CaptureReport } from '../schema/capture-report.ts';

type Watch = NonNullable<CaptureReport['watch']>;
type Side = NonNullable<Watch['failing']>;

/** How many tries went well in how long, or which failed: the first sentence of a watch. */
export function watchVerdict({ tries, failed, late, seconds, oneIn, ended, why, failing }: Watch): string {
  const over = `${tries} tries over ${seconds} s`;
  const early =
    ended === 'interrupted'
      ? ' (interrupted)'
      : ended === 'broken'
        ? ` (they could not be gone on with: ${why ?? 'for no known reason'})`
        : '';
  if (tries === 0) return `no try was made${early || (why === null ? '' : `: ${why}`)}`;
  if (failed > 0) return `${over}${early}: ${failed} failed${failing ? `, first try ${failing.number} after ${failing.began} s` : ''}`;
  const rest = late > 0 ? `; ${late} took more than a second, with no packet lost` : '';
  return `${over}${early}, none failed; a fault that hits one request in ${oneIn ?? 1} by chance would have been seen with 95 %, and one that comes and goes if it came meanwhile${rest}`;
}

/** A failing try beside a good one, line by line, what differs, and how the endpoints fared. */
export function watchLines({ failing, good, differs, endpoints, failed }: Watch): string[] {
  if (failed === 0 || !failing) return [];
  const rows: [string, (side: Side) => string][] = [
    ['try', ({ number, began }) => `${number}, at ${began} s`],
    ['result', resultText],
    ['source port', ({ sourcePort }) => String(sourcePort)],
    ['endpoint', ({ endpoint, node }) => (endpoint === null ? 'none was seen' : `${endpoint}${node === null ? '' : ` on ${node}`}`)],
  ];
  const width = Math.max(...rows.map(([, of]) => of(failing).length)) + 2;
  return [
    `${''.padEnd(13)}${'failing'.padEnd(width)}${good ? 'good' : '(no good try was kept)'}`,
    ...rows.map(([name, of]) => `${name.padEnd(13)}${of(failing).padEnd(width)}${good ? of(good) : ''}`.trimEnd()),
    ...differs.map((text) => `- ${text}`),
    ...endpoints.map(
      (item) => `- ${item.endpoint}${item.node === null ? '' : ` on ${item.node}`}: ${item.failed} of its last ${item.tries} tries failed`,
    ),
  ];
}

const resultText = ({ result, seconds }: Side): string =>
  ({
    answered: `answered in ${seconds} s`,
    failed: `failed after ${seconds} s`,
    repeated: `answered in ${seconds} s, at the second attempt`,
  })[result];
