/** Wordings of `netstat -s` (net-tools lib/statistics.c, both spellings where they were corrected) by section, `#` for the number. */
const phrases: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Ip: {
    '# total packets received': 'InReceives',
    '# with invalid headers': 'InHdrErrors',
    '# with invalid addresses': 'InAddrErrors',
    '# forwarded': 'ForwDatagrams',
    '# with unknown protocol': 'InUnknownProtos',
    '# incoming packets discarded': 'InDiscards',
    '# incoming packets delivered': 'InDelivers',
    '# requests sent out': 'OutRequests',
    '# outgoing packets dropped': 'OutDiscards',
    '# dropped because of missing route': 'OutNoRoutes',
    '# fragments dropped after timeout': 'ReasmTimeout',
    '# reassemblies required': 'ReasmReqds',
    '# packets reassembled ok': 'ReasmOKs',
    '# packet reassemblies failed': 'ReasmFails',
    '# packet reassembles failed': 'ReasmFails',
    '# fragments received ok': 'FragOKs',
    '# fragments failed': 'FragFails',
    '# fragments created': 'FragCreates',
  },
  Icmp: {
    '# ICMP messages received': 'InMsgs',
    '# input ICMP message failed': 'InErrors',
    '# ICMP messages sent': 'OutMsgs',
    '# ICMP messages failed': 'OutErrors',
  },
  Tcp: {
    '# active connection openings': 'ActiveOpens',
    '# active connections openings': 'ActiveOpens',
    '# passive connection openings': 'PassiveOpens',
    '# failed connection attempts': 'AttemptFails',
    '# connection resets received': 'EstabResets',
    '# connections established': 'CurrEstab',
    '# segments received': 'InSegs',
    '# segments sent out': 'OutSegs',
    '# segments send out': 'OutSegs',
    '# segments retransmitted': 'RetransSegs',
    '# segments retransmited': 'RetransSegs',
    '# bad segments received': 'InErrs',
    '# bad segments received.': 'InErrs',
    '# resets sent': 'OutRsts',
  },
  Udp: {
    '# packets received': 'InDatagrams',
    '# packets to unknown port received': 'NoPorts',
    '# packets to unknown port received.': 'NoPorts',
    '# packet receive errors': 'InErrors',
    '# packets sent': 'OutDatagrams',
    '# receive buffer errors': 'RcvbufErrors',
    '# send buffer errors': 'SndbufErrors',
  },
  TcpExt: {
    '# SYN cookies sent': 'SyncookiesSent',
    '# SYN cookies received': 'SyncookiesRecv',
    '# invalid SYN cookies received': 'SyncookiesFailed',
    '# resets received for embryonic SYN_RECV sockets': 'EmbryonicRsts',
    '# packets pruned from receive queue because of socket buffer overrun': 'PruneCalled',
    '# packets pruned from receive queue': 'RcvPruned',
    '# packets dropped from out-of-order queue because of socket buffer overrun': 'OfoPruned',
    '# ICMP packets dropped because they were out-of-window': 'OutOfWindowIcmps',
    '# ICMP packets dropped because socket was locked': 'LockDroppedIcmps',
    '# TCP sockets finished time wait in fast timer': 'TW',
    '# time wait sockets recycled by time stamp': 'TWRecycled',
    '# TCP sockets finished time wait in slow timer': 'TWKilled',
    '# active connections rejected because of time stamp': 'PAWSActive',
    '# packets rejected in established connections because of timestamp': 'PAWSEstab',
    '# delayed acks sent': 'DelayedACKs',
    '# delayed acks further delayed because of locked socket': 'DelayedACKLocked',
    'Quick ack mode was activated # times': 'DelayedACKLost',
    '# times the listen queue of a socket overflowed': 'ListenOverflows',
    '# SYNs to LISTEN sockets dropped': 'ListenDrops',
    '# SYNs to LISTEN sockets ignored': 'ListenDrops',
    '# packet headers predicted': 'TCPHPHits',
    '# acknowledgments not containing data payload received': 'TCPPureAcks',
    '# predicted acknowledgments': 'TCPHPAcks',
    '# fast retransmits': 'TCPFastRetrans',
    '# retransmits in slow start': 'TCPSlowStartRetrans',
    '# other TCP timeouts': 'TCPTimeouts',
    '# connections reset due to unexpected data': 'TCPAbortOnData',
    '# connections reset due to early user close': 'TCPAbortOnClose',
    '# connections aborted due to memory pressure': 'TCPAbortOnMemory',
    '# connections aborted due to timeout': 'TCPAbortOnTimeout',
    '# connections aborted after user close in linger timeout': 'TCPAbortOnLinger',
    '# packets collapsed in receive queue due to low socket buffer': 'TCPRcvCollapsed',
    '# DSACKs sent for old packets': 'TCPDSACKOldSent',
    '# DSACKs sent for out of order packets': 'TCPDSACKOfoSent',
    '# DSACKs received': 'TCPDSACKRecv',
    '# DSACKs for out of order packets received': 'TCPDSACKOfoRecv',
  },
};

/** Kinds under `ICMP input histogram:`, as parts of the name. */
const icmpKinds: Readonly<Record<string, string>> = {
  'destination unreachable': 'DestUnreachs',
  'timeout in transit': 'TimeExcds',
  'time exceeded': 'TimeExcds',
  'wrong parameters': 'ParmProbs',
  'source quenches': 'SrcQuenchs',
  'source quench': 'SrcQuenchs',
  redirects: 'Redirects',
  redirect: 'Redirects',
  'echo requests': 'Echos',
  'echo request': 'Echos',
  'echo replies': 'EchoReps',
};

/** The nstat name behind a wording, or section and wording when it is not known. */
export const counterNameOf = (section: string, phrase: string, histogram: string): string => {
  const known = lookUp(lookUp(phrases, section) ?? {}, phrase);
  if (known !== undefined) return `${section}${known}`;
  const colon = phrase.indexOf(': #');
  const label = colon > 0 && colon === phrase.length - 3 ? phrase.slice(0, colon) : undefined;
  const kind = label === undefined || histogram === '' ? undefined : lookUp(icmpKinds, label);
  if (kind !== undefined) return `${section}${histogram === 'input' ? 'In' : 'Out'}${kind}`;
  // newer counters have no wording: "TCPBacklogDrop: 3"
  return label !== undefined && histogram === '' && /^[A-Z][A-Za-z0-9]+$/.test(label) ? `${section}${label}` : `${section} ${phrase}`;
};

const lookUp = <T>(record: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;
