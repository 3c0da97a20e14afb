import type { Reason } from '../model/observed.ts';
import type { Entry, RanOn } from '../snapshot/entry.ts';
import type { Kubectl, KubectlResult } from './kubectl.ts';
import { execScript } from './node-pod.ts';
import { functionsOf, type Namespace, type Tier } from './prelude.ts';
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
 * Runs the sections as one script and returns an entry for each. Cut sections are asked for once more,
 * whether kubectl ended with 0 (SPDY) or said that the stream broke (WebSocket); what stays cut, or was never reached, is an entry with its
 * reason and not an empty output.
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
  const wanted = (failure: SectionOutput['failure']) =>
    failure?.reason === 'truncated' || (first.broken && failure?.reason === 'unreachable');
  const cut = sections.filter((section) => wanted(first.outputs.get(section.key)?.failure));
  const second = cut.length > 0 ? await runRound(kubectl, session, cut, namespaces, limitMilliseconds) : null;
  return sections.map((section) => {
    const output = second?.outputs.get(section.key) ?? first.outputs.get(section.key) ?? notReached;
    return { key: section.key, command: section.command, on: on(section), ...output };
  });
}

const notReached: SectionOutput = { exit: null, stdout: '', stderr: '', failure: { reason: 'not-collected', detail: 'not reached' } };

interface Round {
  outputs: Map<string, SectionOutput>;
  /** The stream broke before all of it was there, soon enough to try again. */
  broken: boolean;
}

const patienceMilliseconds = 20_000;

async function runRound(
  kubectl: Kubectl,
  session: Session,
  sections: readonly Section[],
  namespaces: readonly Namespace[],
  limitMilliseconds: number,
): Promise<Round> {
  const { nonce, script } = buildScript(sections, functionsOf(session.tier, namespaces));
  const result = await execScript(kubectl, session, script, limitMilliseconds);
  const outputs = readScriptOutput(sections, nonce, result.stdout);
  const failure = execFailure(result);
  if (!failure) return { outputs, broken: false };
  // What arrived whole before the failure is kept; the rest gets the failure's reason.
  for (const [key, output] of outputs) if (output.failure?.reason === 'truncated') outputs.set(key, { ...output, failure });
  // A stream that broke off is worth a second try; what took long to fail (a kubelet that can't be dialled) is not.
  return { outputs, broken: failure.reason === 'unreachable' && result.milliseconds < patienceMilliseconds };
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
