import type { HasLine, Parsed } from '../model/parsed.ts';
import { type Attempt, parseEachLine, type TextLine } from './text-lines.ts';

/** One kernel setting, or why it could not be read. */
export type SysctlEntry = SysctlValue | SysctlProblem;

export interface SysctlValue extends HasLine {
  state: 'value';
  text: string;
  /** Path below /proc/sys with slashes, the unambiguous form: `net/ipv4/conf/flannel.1/rp_filter`. */
  path: string;
  /** Without surrounding blanks; several numbers stay separated by tabs as the kernel writes them. May be empty. */
  value: string;
}

export interface SysctlProblem extends HasLine {
  /** `absent`: no such file (module not loaded, other kernel, other namespace). `forbidden` and `unreadable` say nothing about the value. */
  state: 'absent' | 'forbidden' | 'unreadable';
  text: string;
  path: string;
}

/**
 * `sysctl -a` and `sysctl NAME…` of procps 3.3 to 4.0 and BusyBox 1.35 (`a.b = c`), and `grep . /proc/sys/…` (`/proc/sys/a/b:c`). An interface with a dot
 * in its name is printed with a slash (`net.ipv4.conf.flannel/1.rp_filter`). Messages about keys that can't be read, where standard error was
 * recorded too, become entries of their own: a key that could not be read is not a key that is not there.
 */
export const parseSysctl = (text: string): Parsed<SysctlEntry[]> => parseEachLine(text, parseSysctlLine);

/** `net.ipv4.conf.flannel/1.rp_filter`, `net/ipv4/conf/flannel.1/rp_filter` or `/proc/sys/…` as a path: the separator that comes first is the separator. */
export const sysctlPath = (key: string): string => {
  if (key.startsWith('/proc/sys/')) return key.slice('/proc/sys/'.length);
  const separator = /[./]/.exec(key)?.[0];
  return separator === '/' ? key : key.replace(/[./]/g, (character) => (character === '.' ? '/' : '.'));
};

/**
 * The entry of a key in any of its forms. `undefined` means that the output does not speak of the key; entries that contradict each other give
 * `undefined` as well.
 */
export const findSysctl = (entries: readonly SysctlEntry[], key: string): SysctlEntry | undefined => {
  const path = sysctlPath(key);
  const found = entries.filter((entry) => entry.path === path);
  const [first] = found;
  const same = found.every(
    (entry) => entry.state === first?.state && settingOf(entry) === (first === undefined ? undefined : settingOf(first)),
  );
  return same ? first : undefined;
};

/** The number behind a key; `undefined` when there is none or it is no decimal number. */
export const sysctlNumber = (entries: readonly SysctlEntry[], key: string): number | undefined => {
  const entry = findSysctl(entries, key);
  return entry?.state === 'value' && /^-?[0-9]{1,15}$/.test(entry.value) ? Number(entry.value) : undefined;
};

const settingOf = (entry: SysctlEntry): string | undefined => (entry.state === 'value' ? entry.value : undefined);

const parseSysctlLine = (line: TextLine): Attempt<SysctlEntry> => {
  const problem = problemOf(line);
  if (problem !== undefined) return { ok: problem };
  const assignment = /^\s*([A-Za-z0-9_][^\s=]*)\s*=(.*)$/.exec(line.text);
  const file = assignment === null ? /^\/proc\/sys\/([^\s:]+):(.*)$/.exec(line.text) : null;
  const key = assignment?.[1] ?? file?.[1];
  if (key === undefined || !/[./]/.test(key)) return { why: 'no "key = value"' };
  return {
    ok: { ...line, state: 'value', path: file === null ? sysctlPath(key) : key, value: (assignment?.[2] ?? file?.[2] ?? '').trim() },
  };
};

const problems: readonly (readonly [RegExp, SysctlProblem['state']])[] = [
  [/^(?:sysctl: )?cannot stat \/proc\/sys\/(\S+): No such file or directory$/, 'absent'],
  [/^sysctl: error: '([^']+)' is an unknown key$/, 'absent'],
  [/^(?:sysctl|cat|grep): (?:can't open ')?\/proc\/sys\/([^\s':]+)'?: No such file or directory$/, 'absent'],
  [/^sysctl: error: '([^']+)' .*No such file or directory$/, 'absent'],
  [/^sysctl: permission denied on key ["']([^"']+)["'].*$/, 'forbidden'],
  [/^(?:sysctl|cat|grep): (?:can't open ')?\/proc\/sys\/([^\s':]+)'?: Permission denied$/, 'forbidden'],
  [/^sysctl: (?:error )?reading key ["']([^"']+)["'].*$/, 'unreadable'],
  [/^(?:sysctl|cat|grep): (?:read error: )?\/proc\/sys\/([^\s':]+): .+$/, 'unreadable'],
  [/^sysctl: error reading key '([^']+)': .+$/, 'unreadable'],
];

const problemOf = (line: TextLine): SysctlProblem | undefined => {
  const trimmed = line.text.trim();
  for (const [pattern, state] of problems) {
    const key = pattern.exec(trimmed)?.[1];
    if (key !== undefined) return { ...line, state, path: key.includes('/') && !key.includes('.') ? key : pathOfMessage(trimmed, key) };
  }
  return undefined;
};

/** Messages name either the file below /proc/sys or the key. */
const pathOfMessage = (message: string, key: string): string => (message.includes(`/proc/sys/${key}`) ? key : sysctlPath(key));
