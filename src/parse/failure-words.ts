import type { FailureCause, ProbeFailure } from '../model/probe.ts';

type Meaning = readonly [pattern: RegExp, cause: FailureCause, ...alsoPossible: FailureCause[]];

/**
 * Words of glibc's and musl's strerror and gai_strerror, and of tools that print their own. What the kernel makes of ICMP is
 * net/ipv4/icmp.c `icmp_err_convert` (3/1, 3/10, 3/12, 3/13-15 = EHOSTUNREACH; 3/0, 3/6, 3/9, 3/11 = ENETUNREACH; 3/3 = ECONNREFUSED;
 * 3/2 = ENOPROTOOPT) and net/ipv6/icmp.c `tab_unreach` (1/0 = ENETUNREACH, 1/1, 1/5, 1/6 = EACCES, 1/3 = EHOSTUNREACH). German words: glibc 2.36 de.po.
 */
const meanings: readonly Meaning[] = [
  [/connection refused|verbindungsaufbau abgelehnt/i, 'refused'],
  [/reset by peer|connection reset|connection was reset|broken pipe|zurückgesetzt|datenübergabe unterbrochen/i, 'reset'],
  [/no route to host|host is unreachable|host unreachable|keine route zum zielrechner/i, 'host-unreachable', 'admin-prohibited'],
  [/host is down/i, 'host-unreachable'],
  [/network is unreachable|network unreachable|das netzwerk ist nicht erreichbar/i, 'net-unreachable', 'admin-prohibited'],
  [/message too (?:long|large)|nachricht ist zu lang/i, 'message-too-long'],
  [
    /name or service not known|name does not resolve|unknown host|bad address|could not resolve|couldn't resolve|unable to resolve/i,
    'name',
  ],
  [/temporary failure in name resolution|no address associated with hostname|non-recoverable failure in name resolution/i, 'name'],
  [/nodename nor servname provided|der name oder der dienst ist nicht bekannt|temporärer fehler bei der namensauflösung/i, 'name'],
  [/timed out|timeout|die wartezeit für die verbindung ist abgelaufen/i, 'timeout'],
  [/administratively prohibited|packet filtered|communication prohibited/i, 'admin-prohibited'],
  [/permission denied|operation not permitted|keine berechtigung|die operation ist nicht erlaubt/i, 'admin-prohibited', 'other'],
  [/empty reply/i, 'empty-reply'],
  [
    /couldn't connect to server|could not connect to server/i,
    'other',
    'refused',
    'host-unreachable',
    'net-unreachable',
    'admin-prohibited',
  ],
];

/** The cause that an error's words name, and all that they can stand for; `other` where they name none. */
export function causeOfWords(words: string): { cause: FailureCause; couldBe: FailureCause[] } {
  for (const [pattern, cause, ...alsoPossible] of meanings) {
    if (pattern.test(words)) return { cause, couldBe: [cause, ...alsoPossible] };
  }
  return { cause: 'other', couldBe: ['other'] };
}

/** A failure whose cause is read off its words. */
export function failureOfWords(line: number, words: string, where: { address?: string; port?: string; name?: string } = {}): ProbeFailure {
  return {
    line,
    ...causeOfWords(words),
    text: words,
    address: where.address || undefined,
    port: where.port ? Number(where.port) : undefined,
    name: where.name || undefined,
  };
}
