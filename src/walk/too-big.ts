import type { Facts } from '../facts/facts.ts';
import { type Place, passagesOf } from './leg.ts';
import { packetOf } from './node-rules.ts';
import { type Verdict, walk } from './passage-rules.ts';

/**
 * What the rules on its way do to the ICMP "fragmentation needed" (type 3 code 4) by which a node tells a sender that its packet was too long: the node's own OUTPUT, and what lies
 * between. A pod whose own rules were not read is taken to have none.
 */
export function tellsTooBig(facts: Facts, node: string, sender: Place): Verdict {
  const source = facts.nodeAddress(node);
  if (source === undefined) return { state: 'unknown', detail: `the address of node ${node} is not known` };
  if (sender.address.includes(':')) return { state: 'unknown', detail: 'the rules for ICMPv6 errors are not followed' };
  const from: Place = { address: source, node, pod: undefined, isNode: true };
  const sent = packetOf({ source, destination: sender.address, protocol: 'icmp' }, {});
  const packet = { ...sent, icmpType: 3, icmpCode: 4, conntrack: { ...sent.conntrack, state: 'related' as const } };
  const verdicts = passagesOf(facts, { from, to: sender, protocol: 'icmp', port: undefined, isReply: false }).map((passage) => ({
    passage,
    verdict: walk(passage, packet),
  }));
  const stopped = verdicts.find(({ verdict }) => verdict.state === 'stopped');
  const doubtful = verdicts.find(({ passage, verdict }) => verdict.state === 'unknown' && passage.pod === undefined);
  return (stopped ?? doubtful)?.verdict ?? { state: 'passes' };
}
