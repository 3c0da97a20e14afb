import { categorizeEndpoints, type TopologyEndpoint } from '../../src/intent/topology.ts';
import { readCaseFiles } from './intent.ts';
import type { CorpusResult } from './run.ts';

interface TopologyCase {
  name: string;
  nodeName: string;
  nodeLabels: Record<string, string> | null;
  preferSameTrafficDistributionGate: boolean;
  service: { usesClusterEndpoints: boolean; usesLocalEndpoints: boolean };
  endpoints: (TopologyEndpoint & { endpoint: string })[];
  expect: {
    topologyMode: string;
    clusterEndpoints: string[] | null;
    localEndpoints: string[] | null;
    allReachableEndpoints: string[] | null;
    hasAnyEndpoints: boolean;
  };
}

type TopologyFile = { id: string } & (TopologyCase | { cases: TopologyCase[] });

/** Every expectation of the topology corpus: mode, the three lists, and whether there is any endpoint at all. */
export function runTopology(directory: string): CorpusResult[] {
  return readCaseFiles<TopologyFile>(directory, 'topology').flatMap((file) =>
    ('cases' in file ? file.cases : [file]).map((item) => ({
      task: 'topology',
      id: file.id,
      form: 'intent',
      flow: item.name,
      lossy: false,
      ...judge(item),
    })),
  );
}

function judge(item: TopologyCase): Pick<CorpusResult, 'is' | 'detail'> {
  const { service, expect } = item;
  const reach = categorizeEndpoints(
    item.endpoints,
    { usesCluster: service.usesClusterEndpoints, usesLocal: service.usesLocalEndpoints },
    {
      name: item.nodeName,
      zone: item.nodeLabels?.['topology.kubernetes.io/zone'] ?? '',
      nodeHintsCount: item.preferSameTrafficDistributionGate,
    },
  );
  const names = (list: readonly { endpoint: string }[] | null): string[] | null => list?.map(({ endpoint }) => endpoint).sort() ?? null;
  const said = JSON.stringify([reach.mode, names(reach.cluster), names(reach.local) ?? [], names(reach.all), reach.hasAny]);
  // Go's nil and empty slice mean the same to kube-proxy in the lists that it uses.
  const { clusterEndpoints, localEndpoints, allReachableEndpoints } = expect;
  const sorted = (list: string[] | null): string[] | null => list && [...list].sort();
  const wanted = JSON.stringify([
    expect.topologyMode,
    sorted(clusterEndpoints),
    sorted(localEndpoints) ?? [],
    sorted(allReachableEndpoints) ?? [],
    expect.hasAnyEndpoints,
  ]);
  return said === wanted ? { is: 'agree', detail: '' } : { is: 'differing', detail: `said ${said}, it is ${wanted}` };
}
