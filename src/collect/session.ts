import type { Reason } from '../model/observed.ts';
import type { Entry, RanOn } from '../snapshot/entry.ts';
import type { Kubectl, KubectlResult } from './kubectl.ts';
import { execScript } from './node-pod.ts';
import { type Namespace, prelude, setup, type Tier } from './prelude.ts';
import { buildScript, readScriptOutput, type Section, type SectionOutput } from './script.ts';

/** A container that a script can be run in, and what can be reached from it. */
export interface Session {
  tier: Tier;
  namespace: string;
  pod: string;
  container: string | undefined;
}

/** Which entry a section becomes: the node or pod that it speaks of. */
export type SectionOn = (section: Section) => RanOn;

/**
 * Runs the sections as one script and returns an entry for each. Cut sections are asked for once more;
 * what stays cut, or was never reached, is an entry with its reason and not an empty output.
 */
export async function runSections(
  kubectl: Kubectl,
  session: Session,
  sections: readonly Section[],
  namespaces: readonly Namespace[],
  on: SectionOn,
  limitMilliseconds: number,
): Promise<Entry[]> {
  if (sections.length === 0) return [];
  const first = await runRound(kubectl, session, sections, namespaces, limitMilliseconds);
  const cut = sections.filter((section) => first.get(section.key)?.failure?.reason === 'truncated');
  const second = cut.length > 0 ? await runRound(kubectl, session, cut, namespaces, limitMilliseconds) : new Map<string, SectionOutput>();
  return sections.map((section) => {
    const output = second.get(section.key) ?? first.get(section.key) ?? notReached;
    return { key: section.key, command: section.command, on: on(section), ...output };
  });
}

const notReached: SectionOutput = { exit: null, stdout: '', stderr: '', failure: { reason: 'not-collected', detail: 'not reached' } };

async function runRound(
  kubectl: Kubectl,
  session: Session,
  sections: readonly Section[],
  namespaces: readonly Namespace[],
  limitMilliseconds: number,
): Promise<Map<string, SectionOutput>> {
  const { nonce, script } = buildScript(sections, { prelude: prelude(session.tier), setup: setup(session.tier, namespaces) });
  const result = await execScript(kubectl, session, script, limitMilliseconds);
  const outputs = readScriptOutput(sections, nonce, result.stdout);
  const failure = execFailure(result);
  if (!failure) return outputs;
  // What arrived whole before the failure is kept; the rest gets the failure's reason.
  for (const [key, output] of outputs) if (output.failure?.reason === 'truncated') outputs.set(key, { ...output, failure });
  return outputs;
}

/** Why nothing, or not all, came back from an exec. */
export function execFailure(result: KubectlResult): { reason: Reason; detail: string } | undefined {
  if (result.failure) {
    const { reason, detail } = result.failure;
    if (noShell.test(detail) || noShell.test(result.stderr)) return { reason: 'tool-missing', detail: 'the container has no shell (sh)' };
    const known: Record<string, Reason> = {
      'not-found': 'not-collected',
      unauthorized: 'forbidden',
      'not-installed': 'tool-missing',
      interrupted: 'not-collected',
      conflict: 'tool-failed',
    };
    return { reason: known[reason] ?? (reason as Reason), detail };
  }
  // A missing shell: containerd and CRI-O give 126, 127 or 128 with the runtime's words.
  if (result.exit !== 0 && noShell.test(result.stderr)) return { reason: 'tool-missing', detail: 'the container has no shell (sh)' };
  if (result.exit !== 0 && result.exit !== null)
    return {
      reason: 'tool-failed',
      detail: `the script ended with ${result.exit}: ${result.stderr.trim().split('\n').at(-1)?.slice(0, 200) ?? ''}`,
    };
  return undefined;
}

const noShell = /exec: "sh"|executable file not found|no such file or directory: unknown|stat .*\/sh: no such file/;
