import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How rules go into a namespace, how they are read back, and how it is made empty again. */
export interface Tool {
  load: string;
  list: string;
  flush: string;
}

export interface Load {
  tool: Tool;
  text: string;
  /** Shell lines that make what the rules name and do not hold themselves: sets, accounting objects, devices. */
  prepare: string[];
}

export interface Loaded {
  ok: boolean;
  /** First line of what the tool said, where it did not load. */
  message: string;
  listed: string;
}

/**
 * Loads each text into one namespace after the other's rules were taken out, and lists what is there then. One shell does all of them: starting the
 * tools is most of the time. The namespace is made by this function and gone when it returns.
 * @throws Error when no namespace can be made, which needs root.
 */
export function loadAll(loads: readonly Load[]): Loaded[] {
  const namespace = `k8snet-roundtrip-${process.pid}`;
  const directory = mkdtempSync(join(tmpdir(), 'k8snet-roundtrip-'));
  try {
    run('ip', ['netns', 'add', namespace]);
    const script = loads.map((load, index) => writeLoad(join(directory, String(index)), load)).join('\n');
    writeFileSync(join(directory, 'all.sh'), script);
    run('ip', ['netns', 'exec', namespace, 'sh', join(directory, 'all.sh')]);
    return loads.map((_load, index) => readLoaded(join(directory, String(index))));
  } finally {
    spawnSync('ip', ['netns', 'delete', namespace]);
    rmSync(directory, { recursive: true, force: true });
  }
}

function run(command: string, args: string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
}

/** The part of the script that loads one text; what it says goes to files beside the text. */
function writeLoad(directory: string, { tool, text, prepare }: Load): string {
  mkdirSync(directory);
  writeFileSync(join(directory, 'rules'), text);
  return [
    `cd '${directory}'`,
    `{ ${tool.flush}; } >/dev/null 2>&1`,
    ...(prepare.length === 0 ? [] : [`{ ${prepare.join('\n')}; } >/dev/null 2>&1`]),
    `${tool.load} >stdout 2>stderr`,
    'echo $? >status',
    `${tool.list} >listed 2>/dev/null`,
  ].join('\n');
}

function readLoaded(directory: string): Loaded {
  const read = (name: string): string => readFileSync(join(directory, name), 'utf8');
  const ok = read('status').trim() === '0';
  const said = `${read('stderr')}\n${read('stdout')}`.split('\n').find((line) => line.trim() !== '') ?? `status ${read('status').trim()}`;
  return { ok, message: ok ? '' : said.trim(), listed: read('listed') };
}
