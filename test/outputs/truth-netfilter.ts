import { type Comparator, entriesOf, isLoose, type Loose, looseList, missing, objectsIn } from './objects.ts';

const tablesOf = (value: unknown): Loose[] =>
  objectsIn(value).filter(({ name, chains }) => typeof name === 'string' && Array.isArray(chains));
const chainsOf = (tables: readonly Loose[]): Loose[] => tables.flatMap((table) => looseList(table.chains));
const rulesOf = (chain: Loose | undefined): Loose[] => looseList(chain?.rules);

/** `tables`: chains, number of rules in each, policies. The items may show one table or one family of what was loaded. */
export const tables: Comparator = (truth, value, { text }) => {
  const wanted = { ...(isLoose(truth.tables) ? truth.tables : {}), ...(isLoose(truth.nft) ? truth.nft : {}) };
  const parsed = tablesOf(value);
  // A cut text holds some of the tables whole.
  const whole = Array.isArray(truth.tablesWhole) ? truth.tablesWhole : Object.keys(wanted);
  const known = entriesOf(wanted).filter(([name]) => whole.includes(name));
  return known.flatMap(([name, words]) => {
    const table = parsed.find(
      (candidate) => candidate.name === name && (candidate.family === 'ip' || parsed.every(({ family }) => family !== 'ip')),
    );
    const isShown = text.includes(`*${name}`) || text.includes(`table ip ${name}`) || parsed.length === 1;
    if (!table)
      return isShown && parsed.length > 0 && !parsed.some((candidate) => candidate.name === name) && !/Chain /.test(text)
        ? [`no table ${name}`]
        : [];
    return sameChains(table, words);
  });
};

function sameChains(table: Loose, words: unknown): string[] {
  const chains = looseList(table.chains);
  const counts = entriesOf(isLoose(words) ? words.rules : {});
  const policies = entriesOf(isLoose(words) ? words.policies : {});
  return [
    ...counts.flatMap(([name, count]) => {
      const chain = chains.find((candidate) => candidate.name === name);
      // nft creates a built-in chain only when something is put into it.
      if (!chain) return Number(count) === 0 ? [] : [`${table.name}: no chain ${name}`];
      return rulesOf(chain).length === Number(count) ? [] : [`${table.name} ${name}: ${rulesOf(chain).length} rules, not ${count}`];
    }),
    ...policies.flatMap(([name, policy]) => {
      const base = chains.find((candidate) => candidate.name === name)?.base;
      return !isLoose(base) || base.policy === 'unknown' || base.policy === String(policy).toLowerCase()
        ? []
        : [`${table.name} ${name}: policy ${base.policy}, not ${policy}`];
    }),
  ];
}

/** `chain` with `rules`: as many as were given, each with its target, and the matches that are the same in every tool's words. */
export const chainRules: Comparator = (truth, value) => {
  const table = tablesOf(value).find(({ name }) => name === truth.table) ?? tablesOf(value)[0];
  const given = looseList(truth.rules);
  const chains = new Set(given.map((rule) => String(rule.chain ?? truth.chain)));
  return [...chains].flatMap((name) => {
    const parsed = rulesOf(looseList(table?.chains).find((chain) => chain.name === name));
    const wanted = given.filter((rule) => String(rule.chain ?? truth.chain) === name);
    if (parsed.length !== wanted.length) return [`${name}: ${parsed.length} rules, not ${wanted.length}`];
    return wanted.flatMap((rule, index) => sameRule(rule, parsed[index] ?? {}, `${name} rule ${index + 1}`));
  });
};

function sameRule(rule: Loose, parsed: Loose, where: string): string[] {
  const match = isLoose(rule.match) ? rule.match : {};
  const inside = objectsIn(parsed.statements);
  const target = String(rule.target ?? '').toLowerCase();
  const plain: Record<string, string> = {
    accept: 'accept',
    drop: 'drop',
    return: 'return',
    reject: 'reject',
    dnat: 'dnat',
    snat: 'snat',
    masquerade: 'masquerade',
    redirect: 'redirect',
  };
  const verdict = plain[target];
  const says = JSON.stringify(inside, (_key, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner)).toLowerCase();
  const comments = Array.isArray(rule.comments) ? rule.comments : [];
  return missing([
    [`${where}: target ${target}`, verdict === undefined || says.includes(`"${verdict}"`) || says.includes(verdict)],
    [`${where}: in`, typeof match.in !== 'string' || isInterfaceSaid(says, match.in)],
    [`${where}: out`, typeof match.out !== 'string' || isInterfaceSaid(says, match.out)],
    [
      `${where}: comments`,
      comments.every(
        (comment) =>
          comment === '' ||
          String(parsed.comment ?? '').includes(String(comment)) ||
          says.includes(JSON.stringify(String(comment)).slice(1, -1).toLowerCase()),
      ),
    ],
  ]);
}

/** `eth0.100*` and `cali+` stand for any rest; a match on any name at all is printed as none by every tool. */
const isInterfaceSaid = (says: string, name: string): boolean =>
  name === 'any name' || says.includes(name.replace(/[+*]$/, '').toLowerCase());

/** One chain and its number of rules. */
export const oneChain: Comparator = (truth, value) =>
  missing([
    [
      `${truth.chain}: not ${truth.rules} rules`,
      chainsOf(tablesOf(value)).some((chain) => chain.name === truth.chain && rulesOf(chain).length === Number(truth.rules)),
    ],
  ]);

/** The rules are in the other backend: none here, and the warning is heeded. */
export const otherBackend: Comparator = (truth, value) =>
  missing([
    ['rules that are not there', chainsOf(tablesOf(value)).every((chain) => rulesOf(chain).length === 0)],
    [
      'warning of the other backend',
      !Array.isArray(truth.legacyTables) || objectsIn(value).some(({ kind }) => kind === 'legacy-tables-present'),
    ],
  ]);

/** fail2ban: each banned address is in a rule or set, where the tool that was asked shows it (nft loses the set of an ipset match). */
export const jails: Comparator = (truth, value, { text }) =>
  entriesOf(truth.jails).flatMap(([jail, about]) => {
    const { action, banned } = isLoose(about) ? about : {};
    const shown = action === 'ipset' || !Array.isArray(banned) ? [] : banned.map(String).filter((address) => text.includes(address));
    const said = JSON.stringify(objectsIn(value), (_key, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner));
    return missing(shown.map((address) => [`${jail}: ${address} is not banned`, said.includes(address)] as const));
  });

/** Native nft rulesets: `family name` of each table; chains with their number of rules; sets. */
export const nativeTables: Comparator = (truth, value) => {
  const parsed = tablesOf(value);
  const names = Array.isArray(truth.tables) ? truth.tables.map(String) : [];
  const chains = isLoose(truth.chains) ? entriesOf(truth.chains) : [];
  const nested = looseList(truth.nft).flatMap((table) => entriesOf(table.chains));
  const sets = objectsIn(parsed).map(({ name }) => name);
  return missing([
    ...names.map(
      (name) =>
        [
          `no table ${name}`,
          parsed.some(
            (table) => `${table.family} ${table.name}` === name.replace(' (dormant)', '') && table.dormant === name.includes('(dormant)'),
          ),
        ] as const,
    ),
    ['tables that are not there', names.length > 0 || truth.tables === undefined || parsed.length === 0],
    ...[...chains, ...nested].map(
      ([name, count]) =>
        [
          `${name}: not ${count} rules`,
          chainsOf(parsed).some((chain) => chain.name === name && rulesOf(chain).length === Number(count)),
        ] as const,
    ),
    ...[truth.sets, truth.maps]
      .flatMap((list) => (Array.isArray(list) ? list : []))
      .map((name) => [`no set ${name}`, sets.includes(name)] as const),
  ]);
};

/** conntrack entries that were put in with conntrack -I. */
export const flows: Comparator = (truth, value, { text }) => {
  const parsed = objectsIn(value).filter(({ original, reply }) => isLoose(original) && isLoose(reply));
  return looseList(truth.entries).flatMap((entry) => {
    // XML names the states of SCTP by TCP's numbers.
    const { state: _state, ...stateless } = entry;
    const same = parsed.find((flow) => isSameFlow(text.includes('<conntrack>') && entry.proto === 'sctp' ? stateless : entry, flow));
    return same ? [] : [`no flow ${JSON.stringify(entry)}`];
  });
};

function isSameFlow(entry: Loose, flow: Loose): boolean {
  const original = flow.original as Loose;
  const reply = flow.reply as Loose;
  const is = (wanted: unknown, found: unknown): boolean => wanted === undefined || wanted === found;
  const protocol = typeof entry.proto === 'number' ? flow.protocolNumber === entry.proto : flow.protocol === entry.proto;
  return (
    (protocol || flow.protocol === 'unknown') &&
    is(entry.src, shortAddress(original.src)) &&
    is(entry.dst, shortAddress(original.dst)) &&
    is(entry.sport, original.sport) &&
    is(entry.dport, original.dport) &&
    is(entry.state, flow.state) &&
    is(entry.assured, flow.assured) &&
    is(entry.unreplied, flow.unreplied) &&
    is(entry.mark, flow.mark) &&
    (entry.dnat === undefined || `${reply.src}:${reply.sport}` === entry.dnat) &&
    (entry.snat === undefined || `${reply.dst}:${reply.dport}` === entry.snat)
  );
}

/** Connections that were really made through NAT; a listing was taken when some had ended. */
export const liveFlows: Comparator = (truth, value, { text }) => {
  const parsed = objectsIn(value).filter(({ original, reply }) => isLoose(original) && isLoose(reply));
  return looseList(truth.flows).flatMap((flow) => {
    const [, address = '', port] = /^(.*?)(?::(\d+))?$/.exec(String(flow.to)) ?? [];
    const same = parsed.filter(
      ({ protocol, original }) =>
        protocol === flow.proto &&
        (original as Loose).dst === address &&
        (port === undefined || (original as Loose).dport === Number(port)),
    );
    const isShown = text.includes(`dst=${address}`)
      ? new RegExp(`dst=${address} [^\\n]*dport=${port ?? ''}`).test(text)
      : text.includes(`<dst>${address}</dst>`);
    const [, to = '', toPort] = /^(.*):(\d+)$/.exec(String(flow.dnat ?? '')) ?? [];
    const isTranslated =
      flow.dnat === undefined || same.some(({ reply }) => (reply as Loose).src === to && (reply as Loose).sport === Number(toPort));
    return missing([
      [`no flow to ${flow.to}`, !isShown || port === undefined || same.length > 0],
      [`${flow.to} is not translated to ${flow.dnat}`, same.length === 0 || isTranslated],
    ]);
  });
};

/** /proc prints IPv6 addresses in full. */
const shortAddress = (address: unknown): string =>
  String(address).includes(':') ? new URL(`http://[${address}]/`).hostname.slice(1, -1) : String(address);

/** Rules that another program wrote (ufw, Docker, the portmap plugin): policies, and for each published port a rule that names it. */
export const toldPrograms: Comparator = (truth, value) => {
  const parsed = tablesOf(value);
  const texts = chainsOf(parsed).flatMap((chain) => rulesOf(chain).map(({ text }) => String(text)));
  const filter = parsed.find(({ name }) => name === 'filter');
  const base = (chain: string): unknown =>
    (looseList(filter?.chains).find(({ name }) => name === chain)?.base as Loose | undefined)?.policy;
  const ports = [...(Array.isArray(truth.publish) ? truth.publish : []), ...(Array.isArray(truth.hostPorts) ? truth.hostPorts : [])].map(
    (words) => /(\d+)(?:-(\d+))?\/(tcp|udp)/.exec(String(words)),
  );
  return missing([
    ...entriesOf(truth.default).map(
      ([chain, policy]) => [`policy of ${chain}`, base(chain.toUpperCase()) === String(policy).toLowerCase()] as const,
    ),
    ...ports.map(
      (match) =>
        [
          `no rule for port ${match?.[1]}`,
          texts.some((text) => text.includes(`dport ${match?.[1]}`) || text.includes(`dports ${match?.[1]}`)),
        ] as const,
    ),
    ['mark', typeof truth.masqueradeMark !== 'string' || texts.some((text) => text.includes(String(truth.masqueradeMark)))],
  ]);
};
