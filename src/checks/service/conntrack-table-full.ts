import type { Facts } from '../../facts/facts.ts';
import { evidence } from '../../model/evidence.ts';
import { findSysctl, sysctlNumber } from '../../parse/sysctl.ts';
import { cannotTell, defineCheck, fail, fault, notSeen, pass, skip } from '../check.ts';
import { flowNodes, needsAddress, originNode } from '../traffic.ts';

const count = 'net.netfilter.nf_conntrack_count';
const maximum = 'net.netfilter.nf_conntrack_max';

export const conntrackTableFull = defineCheck({
  meta: {
    id: 'SVC014',
    slug: 'conntrack-table-full',
    layer: 'service',
    title: 'The connection tracking table of a node is full',
    since: '0.1.0',
    explain: {
      what: 'The node tracks as many connections as it may (nf_conntrack_max). The first packet of every new connection is dropped; connections that exist go on.',
      why: 'A burst of short connections or UDP flows, a leak of connections, a scan, or a maximum that is too small for the node.',
      confirm: [
        'sysctl net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max',
        'conntrack -S',
        "dmesg | grep 'nf_conntrack: table full'",
      ],
      fix: [
        'Find who holds the entries: conntrack -L | awk to count by source',
        "Raise the maximum (kube-proxy's conntrack.maxPerCore, or the sysctl), after checking the memory that it takes",
      ],
      notThis: ['A table near its maximum with flat drop counters: early_drop makes room by dropping unanswered entries'],
      refs: ['https://www.kernel.org/doc/html/latest/networking/nf_conntrack-sysctl.html'],
    },
  },
  needs: () => [],
  judge: (facts) => {
    const nodes = flowNodes(facts).filter((node) => facts.nodeNet(node).sysctls().state === 'seen');
    const read = nodes.flatMap((node) => {
      const sysctls = facts.nodeNet(node).sysctls();
      if (sysctls.state !== 'seen') return [];
      const [now, most] = [sysctlNumber(sysctls.value, count), sysctlNumber(sysctls.value, maximum)];
      return now === undefined || most === undefined
        ? []
        : [{ node, now, most, lines: [count, maximum].flatMap((key) => findSysctl(sysctls.value, key)?.line ?? []) }];
    });
    // The kernel drops at the maximum; entries that ended while we looked leave a few free places.
    const full = read.filter(({ now, most }) => most > 0 && now >= most * 0.98);
    if (full.length > 0)
      return fail(
        ...full.map(({ node, now, most, lines }) =>
          fault({
            title: `the connection tracking table of node ${node} is full (${now} of ${most}): new connections are dropped`,
            where: { kind: 'sysctl', name: maximum, node },
            evidence: [evidence(`node/${node}/sysctl`, ...lines), evidence(`node/${node}/conntrack-stats`)],
            next: [showTable(facts, node)],
            fix: [`find who holds the entries on ${node}, then end them or raise ${maximum}`],
            breaks: (probe) => originNode(facts, probe) === node || needsAddress(facts, (address) => facts.nodeOf(address) === node)(probe),
          }),
        ),
      );
    if (read.length === 0) return flowNodes(facts).length === 0 ? skip('no node is on the path') : unseen(facts);
    return pass(
      `connection tracking tables have room (${read.map(({ node, now, most }) => `${node}: ${now} of ${most}`).join(', ')})`,
      'nf_conntrack_count and nf_conntrack_max',
    );
  },
});

/** By the node's own shell where an exec into it brings nothing: `kubectl debug` needs a new connection to it as well. */
function showTable(facts: Facts, node: string): string {
  const count =
    "conntrack -L 2>/dev/null | awk '{for(i=1;i<=NF;i++)if(\\$i~/^src=/){print \\$i;break}}' | sort | uniq -c | sort -rn | head";
  const isDeaf = facts.nodeNet(node).entry('conntrack-stats')?.failure !== undefined;
  return isDeaf
    ? `ssh ${node} "${count}"`
    : `kubectl debug node/${node} -it --profile=sysadmin --image=nicolaka/netshoot -- sh -c "${count}"`;
}

function unseen(facts: Facts) {
  const node = flowNodes(facts)[0];
  const sysctls = node === undefined ? undefined : facts.nodeNet(node).sysctls();
  return sysctls && sysctls.state === 'unknown'
    ? notSeen(sysctls)
    : cannotTell('unsupported', 'the node does not show its connection tracking settings');
}
