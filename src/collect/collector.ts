import type { CapturePlan } from '../model/capture-path.ts';
import { apiPaths } from '../model/object-paths.ts';
import type { Entry } from '../snapshot/entry.ts';
import type { Request, Snapshot } from '../snapshot/snapshot.ts';
import { readObjects } from './api-round.ts';
import type { IdleInterval } from './capture/counters.ts';
import { planCapture } from './capture/plan.ts';
import { captureRound, notCaptured } from './capture/round.ts';
import { watchRound } from './capture/watch.ts';
import { readDnsLogs } from './dns-logs.ts';
import { hasBackends, nodesOnPath, podsOfNode } from './flow.ts';
import { clientSections, nodeOriginProbes } from './flow-probes.ts';
import { askForLastWords } from './last-words.ts';
import { createNodeAccess } from './node-access.ts';
import { failedEntries, runInClient, runOnNode, secondRound } from './node-rounds.ts';
import type { CollectOptions } from './options.ts';
import { type Plan, readPlan } from './plan.ts';
import { rereadWithProxyTools } from './proxy-tools.ts';
import type { ReadFailure } from './reader.ts';
import { type CollectDeps, inSeconds, startRecording } from './recording.ts';
import { nodeSections } from './sections.ts';
import type { Session } from './session.ts';

export interface Collector {
  /** API objects, then the client's own namespace and node. */
  first(): Promise<Snapshot>;
  /** The nodes and pods that the flow passes beyond the client's node, and what the probes left in the client's node. */
  more(): Promise<Snapshot>;
  /**
   * A marked probe, captured on its whole way. Asks for nothing but the API objects first where `first` was not called.
   * @param idle how long noise is measured: by what is known of the probes before
   */
  capture(idle?: IdleInterval): Promise<Snapshot>;
}

/** Gathers one snapshot in rounds. The only state is the snapshot that grows, and the node pods that have to be deleted at the end. */
export function createCollector(options: CollectOptions, deps: CollectDeps): Collector {
  const recording = startRecording(deps.version);
  const entries = new Map<string, Entry>();
  const phases: { name: string; seconds: number }[] = [];
  const access = createNodeAccess(options, deps);
  let plan: Plan | undefined;
  let clientAccess: 'exec' | 'node' | 'none' = 'none';

  const add = (items: readonly Entry[]) => {
    for (const item of items) entries.set(item.key, item);
  };
  const phase = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    deps.progress(name);
    const begin = performance.now();
    try {
      return await work();
    } finally {
      phases.push({ name, seconds: inSeconds(performance.now() - begin) });
    }
  };
  const snapshot = (): Snapshot =>
    recording.snapshot({ entries, phases, request: toRequest(plan, options), access, client: plan?.client, tier: clientAccess });

  /**
   * Where an exec into a node brought nothing, the node counts as one that could not be looked at. If it starts pods and only new connections to it are
   * lost, its last words say why: they come over the kubelet's own connection.
   */
  const lastWordsOf = async (work: Plan, node: string, session: Session | undefined, result: readonly Entry[]) => {
    const broken = session ? wholeFailure(result) : null;
    if (!session || !broken) return { broken, words: [] };
    const isDeaf = session.tier === 'node-pod' && broken.reason === 'timeout';
    const place = { image: access.image(node) ?? options.image, namespace: options.nodePodNamespace };
    const words = isDeaf ? await askForLastWords(deps.nodePods, work, node, place) : [];
    access.giveUp(node, {
      ...broken,
      detail: `pod ${session.namespace}/${session.pod} was there, and the exec into it brought nothing: ${broken.detail}${words.length > 0 ? '; a few readings came as the termination message of another pod' : ''}`,
    });
    return { broken, words };
  };

  /** Reads the client's node and probes from the client, through the node's pod where there is one, else by exec into the client. */
  const probeFirst = async (work: Plan, node: string, session: Session | undefined): Promise<'exec' | 'node' | 'none'> => {
    const isPod = work.client.kind === 'Pod';
    const throughNode = session?.tier === 'node-pod';
    // A pod's node is asked in the second round only: its probes explain what failed, and are no symptom themselves.
    const nodeSide = [...nodeSections(node), ...(isPod ? [] : nodeOriginProbes(work, node))];
    const execs = async (): Promise<Entry[]> => (isPod ? runInClient(deps.kubectl, work, access.failure(node)) : []);
    const [ofNode, ofClient] = await Promise.all([
      session
        ? runOnNode(deps.kubectl, session, node, [...nodeSide, ...(throughNode ? clientSections(work) : [])], podsOfNode(work, node))
        : failedEntries(nodeSections(node), access.failure(node), { kind: 'node', name: node }),
      throughNode ? [] : execs(),
    ]);
    add(ofNode);
    const { broken, words } = await lastWordsOf(work, node, session, ofNode);
    add(words);
    if (words.some((entry) => entry.key.startsWith('probe/'))) return 'node';
    if (!throughNode) {
      add(ofClient);
      return ofClient.some((entry) => !entry.failure) ? 'exec' : 'none';
    }
    if (!isPod) return broken ? 'none' : 'node';
    const entered = ofNode.filter((entry) => entry.on.kind === 'pod');
    const shut = entered.find((entry) => entry.failure?.reason === 'unsupported')?.failure ?? wholeFailure(entered);
    if (!shut) return 'node';
    // Not allowed there, or no process of the pod is to be found (a sandboxed runtime): its own exec may still be a way in.
    if (shut.reason !== 'forbidden' && shut.reason !== 'unsupported') return 'none';
    const second = await execs();
    add(second);
    return second.some((entry) => !entry.failure) ? 'exec' : 'none';
  };

  const captureProbe = async (work: Plan, idle: IdleInterval): Promise<void> => {
    const watched = planCapture(work, options.watch);
    if (!watched.ok) {
      add([notCaptured(watched.why)]);
      return;
    }
    const nodes = nodesOfCapture(watched.plan);
    const sessions = await phase(`reaching ${nodes.length === 1 ? `node ${nodes[0]}` : `${nodes.length} nodes`}`, () =>
      access.open(nodes, work.silent),
    );
    const captureDeps = { kubectl: deps.kubectl, sessions, failure: access.failure, signal: deps.signal, progress: deps.progress };
    await phase('capturing', async () => {
      const { watch } = options;
      add(await (watch ? watchRound(work, watched.plan, watch, captureDeps) : captureRound(work, watched.plan, idle, captureDeps)));
    });
  };

  return {
    first: async () => {
      plan = await phase('reading the API', () => readPlan(options, deps.reader, add));
      const { node } = plan.client;
      const work = plan;
      if (node !== null) {
        const sessions = await phase(`reaching node ${node}`, () => access.open([node], work.silent));
        const watched = options.capture ? planCapture(work) : null;
        // While the probes go on; each node is opened once.
        if (watched?.ok) void access.open(nodesOfCapture(watched.plan), work.silent);
        await phase('probing', async () => {
          clientAccess = await probeFirst(work, node, sessions.get(node));
        });
      }
      return snapshot();
    },
    more: async () => {
      if (!plan) throw new Error('more() before first()');
      const work = plan;
      const nodes = nodesOnPath(work);
      const sessions = await phase(`reaching ${nodes.length === 1 ? `node ${nodes[0]}` : `${nodes.length} nodes`}`, () =>
        access.open(nodes, work.silent),
      );
      await phase('looking closer', async () => {
        const results = await Promise.all([
          ...nodes.map(async (node) => {
            const session = sessions.get(node);
            const result = await secondRound(deps.kubectl, options, work, node, session, access.failure(node));
            return [...result, ...(await lastWordsOf(work, node, session, result)).words];
          }),
          readDnsLogs(deps.kubectl, work),
          // What would make the pods may be scaled to 0.
          hasBackends(work) ? [] : readObjects(deps.reader, [apiPaths.deployments(work.namespace)]),
        ]);
        for (const result of results) add(result);
        add(await rereadWithProxyTools(deps.kubectl, work, entries, nodes));
      });
      return snapshot();
    },
    capture: async (idle = 'as-lost') => {
      const isAlone = plan === undefined;
      plan ??= await phase('reading the API', () => readPlan(options, deps.reader, add));
      await captureProbe(plan, idle);
      if (isAlone && wasProbed(entries)) clientAccess = 'node';
      return snapshot();
    },
  };
}

/** Whether a marked probe was sent from the client, with or without an answer. */
const wasProbed = (entries: ReadonlyMap<string, Entry>): boolean => (entries.get('capture/probe')?.stdout ?? '') !== '';

const nodesOfCapture = ({ places }: CapturePlan): string[] => [...new Set(places.map((place) => place.node))];

/** The one failure that all entries share: what ended the exec, and not one section of it. */
function wholeFailure(entries: readonly Entry[]): ReadFailure | null {
  const failure = entries[0]?.failure;
  return failure && entries.every((entry) => entry.failure?.reason === failure.reason && entry.failure.detail === failure.detail)
    ? failure
    : null;
}

function toRequest(plan: Plan | undefined, options: CollectOptions): Request {
  return {
    target: { kind: 'Service', namespace: plan?.namespace ?? options.namespace ?? 'default', name: options.target.name },
    port: options.target.port,
    from: plan?.client ?? { kind: 'none', name: 'none', node: null, why: 'the API could not be read' },
  };
}
