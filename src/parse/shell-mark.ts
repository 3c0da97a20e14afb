import type { ShellMark } from '../model/probe.ts';
import type { LineRule } from './line-rules.ts';

/**
 * Rules for lines that a shell or kubectl 1.2x writes around a tool's output: `exit 7`, `command terminated with exit code 7`,
 * `Defaulted container "x" out of: …`, `$ command`, and the labels of a loop over ports or addresses.
 */
export const shellMarkRules: readonly LineRule<{ marks: ShellMark[] }>[] = [
  [/^(?:exit(?: status| code)?|rc)[ =:]\s?(\d{1,3})$/, (state, [text = '', code = ''], { line }) => mark(state, line, 'exit', text, code)],
  [/^command terminated with exit code (\d{1,3})$/, (state, [text = '', code = ''], { line }) => mark(state, line, 'exit', text, code)],
  [/^(?:port|addr) \S+ exit (\d{1,3})$/, (state, [text = '', code = ''], { line }) => mark(state, line, 'exit', text, code)],
  [/^(?:port|addr|url|host|server) [\w.:/[\]-]+$/, (state, [text = ''], { line }) => mark(state, line, 'label', text)],
  [/^\$ \S.*$/, (state, [text = ''], { line }) => mark(state, line, 'prompt', text)],
  [
    /^(?:Defaulted container "|Defaulting container name to |error: unable to upgrade connection|pod "\S+" deleted)/,
    (state, _groups, at) => mark(state, at.line, 'kubectl', at.text),
  ],
  [
    /^(?:If you don't see a command prompt, try pressing enter\.|Error from server)/,
    (state, _groups, at) => mark(state, at.line, 'kubectl', at.text),
  ],
];

function mark(state: { marks: ShellMark[] }, line: number, kind: ShellMark['kind'], text: string, code?: string): undefined {
  state.marks.push({ line, kind, code: code === undefined ? undefined : Number(code), text });
  return undefined;
}

/** Whether a line is a shell's or kubectl's, not a tool's. */
export const isShellMark = (text: string): boolean => shellMarkRules.some(([pattern]) => pattern.test(text));
