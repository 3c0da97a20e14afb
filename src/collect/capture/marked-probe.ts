import type { CapturePlan } from '../../model/capture-path.ts';
import type { Entry, RanOn } from '../../snapshot/entry.ts';
import { clientNamespace, clientPod, toNamespaces } from '../flow.ts';
import type { Kubectl } from '../kubectl.ts';
import type { Plan } from '../plan.ts';
import { functionsOf } from '../prelude.ts';
import { buildScript, readScriptOutput } from '../script.ts';
import { execFailure, runSections, type Session } from '../session.ts';
import { markedProbes } from './probes.ts';
import { startScript } from './running.ts';

/** More than captures are waited for. */
const patienceSeconds = 20;
const probeMilliseconds = 30_000;

/** The script waits in front of its section; the end of its input without a line says that we are gone. */
const waitForWord = `line=$(limit ${patienceSeconds} head -n 1 2>/dev/null); [ -n "$line" ] || exit 0`;

/**
 * Opens the exec for the marked probe of a plan, so that nothing but the probe takes time once `send` is called (once). What was cut, or whose stream broke, is
 * sent once more by an exec of its own.
 */
export function openProbe(
  plan: Plan,
  watched: CapturePlan,
  session: Session,
  { on, http, kubectl }: { on: RanOn; http: boolean; kubectl: Kubectl },
): { send: () => Promise<Entry[]> } {
  const pod = clientPod(plan);
  const namespaces = toNamespaces(pod ? [pod] : []);
  const section = markedProbes(clientNamespace(plan), watched.tries, http, plan.domain);
  const { nonce, script } = buildScript([section], functionsOf(session.tier, namespaces, waitForWord));
  let isThere = false;
  const { listening, result, end } = startScript(kubectl, session, script, {
    limitMilliseconds: patienceSeconds * 1000 + probeMilliseconds,
    isListening: () => isThere,
    onOutput: () => {
      isThere = true;
    },
    isKept: true,
  });
  const send = async (): Promise<Entry[]> => {
    // A shell reads its script by blocks: before it says hello, the word would be taken for a part of the script.
    await listening;
    end('go');
    const ended = await result;
    const failure = execFailure(ended);
    const output = readScriptOutput([section], nonce, ended.stdout).get(section.key);
    const isCut = output === undefined || output.failure?.reason === 'truncated';
    if (isCut && (!failure || failure.reason === 'unreachable'))
      return runSections(kubectl, session, [section], namespaces, () => on, probeMilliseconds);
    const { key, command } = section;
    return [{ key, command, on, exit: null, stdout: '', stderr: '', ...output, ...(isCut && failure ? { failure } : {}) }];
  };
  return { send };
}
