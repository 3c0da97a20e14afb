import { rulesCheck } from './rules-check.ts';

export const serviceRulesUnhooked = rulesCheck('unhooked', {
  id: 'SVC011',
  slug: 'service-rules-unhooked',
  layer: 'service',
  title: "kube-proxy's rules are on the node, and no packet reaches them",
  since: '0.1.0',
  explain: {
    what: "The Service's own rules exist on the client's node, but the jump from the kernel's hook to them is gone: nat PREROUTING and OUTPUT no longer lead to KUBE-SERVICES (nftables mode: the chains nat-prerouting and nat-output are empty). Packets to every ClusterIP leave the node untranslated.",
    why: 'A firewall tool (firewalld, ufw, an iptables-restore without --noflush, a security agent) flushed the built-in chains. kube-proxy puts the jumps back only at its next full sync, and never where it is stuck.',
    confirm: ['iptables-save -t nat | grep -E "^-A (PREROUTING|OUTPUT)"', 'nft list chain ip kube-proxy nat-prerouting'],
    fix: ["Restart kube-proxy's pod on the node: it writes its jumps anew", 'Find what flushes the chains, and make it leave them alone'],
    notThis: [
      'No rule for this Service at all: SVC009',
      'A cluster without kube-proxy, where leftovers of an old one are never reached, and never needed',
    ],
    refs: [
      'https://kubernetes.io/docs/reference/networking/virtual-ips/',
      'https://github.com/kubernetes/kubernetes/blob/master/pkg/proxy/iptables/proxier.go',
    ],
  },
});
