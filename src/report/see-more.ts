import type { Report } from '../schema/report.ts';
import { someOf } from './words.ts';

/**
 * What a person can do so that the next run can tell: steps in words, and commands to type. Findings that know a next command come first;
 * the rest follows from how k8snet was allowed to look.
 */
export function seeMore(report: Report): { steps: string[]; commands: string[] } {
  const { coverage, findings } = report;
  const found = findings.flatMap(({ next }) => next);
  const blind = coverage.nodes.filter(({ detail }) => detail !== null).map(({ name }) => name);
  const { steps, commands } = BY_ACCESS[coverage.access](report);
  return {
    steps: [
      ...steps,
      ...(blind.length === 0 ? [] : [`Look at ${someOf(blind.map((name) => `node ${name}`))}: k8snet could not, or not fully.`]),
    ],
    commands: [...new Set([...found, ...commands, ...blind.slice(0, 1).map((name) => `kubectl describe node ${name}`)])],
  };
}

type Advice = (report: Report) => { steps: string[]; commands: string[] };

const NODE_STEP = 'To read the nodes’ own tables, run it as a user that may create privileged hostNetwork pods.';

const BY_ACCESS: Record<Report['coverage']['access'], Advice> = {
  api: (report) =>
    report.target.type === null
      ? {
          steps: ['Nothing was read: see first that kubectl itself reaches the cluster, as this user.'],
          commands: ['kubectl version', 'kubectl auth whoami'],
        }
      : {
          steps: ['To probe from the client pod, run it as a user that may create pods/exec.', NODE_STEP],
          commands: [canI('pods/exec', report), canI('pods', report)],
        },
  'client-pod': (report) => ({ steps: [NODE_STEP], commands: [canI('pods', report)] }),
  'host-network-pod': (report) => ({ steps: [NODE_STEP], commands: [canI('pods', report)] }),
  'node-pod': () => ({ steps: [], commands: [] }),
  recording: () => ({
    steps: ['A recording holds only what was seen when it was made; where the cluster can still be reached, run it there.'],
    commands: [],
  }),
};

function canI(resource: string, { from, target }: Report): string {
  return `kubectl auth can-i create ${resource} -n ${from.namespace ?? target.namespace}`;
}
