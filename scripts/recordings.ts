import { readRecordings } from '../test/recordings/recording.ts';
import { judgeRecording, type RecordingVerdict } from '../test/recordings/verdicts.ts';

/**
 * `npm run recordings -- DIRECTORY [--json]`: judges every recording (*.tgz) of a directory and compares layer and check with its truth.txt.
 * The last line is one JSON object `{"recordings","right","wrong"}`; with --json it is the only one. Exit code 1 when a verdict is wrong.
 */
const args = process.argv.slice(2);
const json = args.includes('--json');
const directory = args.find((arg) => !arg.startsWith('--'));
if (directory === undefined) {
  console.error('usage: npm run recordings -- DIRECTORY [--json]');
  process.exit(2);
}

const verdicts = readRecordings(directory).map(judgeRecording);
if (!json) for (const verdict of verdicts) console.log(describe(verdict));
const wrong = verdicts.filter((verdict) => !verdict.right).map(({ name, expected, said }) => ({ name, expected, said }));
console.log(JSON.stringify({ recordings: verdicts.length, right: verdicts.length - wrong.length, wrong }));
process.exitCode = wrong.length > 0 || verdicts.length === 0 ? 1 : 0;

function describe({ name, right, expected, said, findings }: RecordingVerdict): string {
  const words = (layer: string | null, slug: string | null) => (layer === null ? 'healthy' : `${layer} ${slug ?? 'unexplained'}`);
  const rest = findings.length > 1 ? ` (${findings.slice(1).join(', ')})` : '';
  return `${right ? 'right' : 'WRONG'} ${name}: ${words(said.layer, said.slug)}${rest}${right ? '' : `; it is ${words(expected.layer, expected.slug)}; said: ${said.summary}`}`;
}
