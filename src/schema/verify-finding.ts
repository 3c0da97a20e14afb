import { z } from 'zod';
import { evidenceSchema } from './evidence.ts';

/** One difference between what the API says of Services and what a node's tables do. */
export const verifyFindingSchema = z.object({
  kind: z
    .enum([
      'missing',
      'unhooked',
      'shadowed',
      'stale-endpoint',
      'missing-endpoint',
      'wrong-verdict',
      'wrong-masquerade',
      'wrong-affinity',
      'doubled',
      'stale-front',
      'stopped-after',
    ])
    .describe(
      'missing: no rule; unhooked: no packet comes to the rules; shadowed: a rule of somebody else comes first; stale-endpoint: translated to what is no endpoint; ' +
        'missing-endpoint: an endpoint is never chosen; wrong-verdict: refused with endpoints, or dropped instead of rejected; doubled: left-over rules of another mode or backend; ' +
        'stale-front: rules for what no Service has; stopped-after: translated as meant, then stopped by a rule that is not of kube-proxy',
    ),
  severity: z.enum(['fault', 'settling', 'note']).describe('settling: the API changed so lately that kube-proxy may still be at it'),
  node: z.string(),
  family: z.enum(['IPv4', 'IPv6']),
  title: z.string().describe('One sentence: what the node does, to which Services, and why'),
  why: z.string(),
  services: z.array(z.string()).describe('namespace/name:port'),
  fronts: z.array(z.string()).describe('What clients connect to, for example "ClusterIP 10.96.0.10:53/udp of kube-system/kube-dns:dns"'),
  from: z.array(z.enum(['pod', 'endpoint', 'node', 'outside', 'barred'])).describe('From where connections are affected'),
  evidence: z.array(evidenceSchema),
  peers: z.object({
    right: z.array(z.string()).describe('Other nodes that do what the API means with the same Services'),
    alike: z.array(z.string()).describe('Other nodes with the same difference'),
  }),
  next: z.array(z.string()),
  fix: z.array(z.string()).describe('Steps that would mend it; never applied by k8snet'),
});
