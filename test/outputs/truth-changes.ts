import { type Comparator, entriesOf, isLoose, type Loose, looseList, missing, objectsIn } from './objects.ts';

/** ipset: type of each set, its members with their options, references. */
export const sets: Comparator = (truth, value) => {
  const parsed = objectsIn(value).filter(({ members, type }) => Array.isArray(members) && typeof type === 'string');
  return entriesOf(truth.sets).flatMap(([name, about]) => {
    const { type, members } = isLoose(about) ? about : {};
    const set = parsed.find((candidate) => candidate.name === name);
    const wanted = Array.isArray(members) ? members.map(String) : [];
    return missing([
      [`no set ${name}`, set !== undefined],
      [`${name}: type`, set === undefined || set.type === type],
      ...wanted.map((member) => [`${name}: no member ${member}`, set === undefined || hasMember(set, member)] as const),
    ]);
  });
};

/** A range of a bitmap or of ports is listed as its single members; names of ICMP types differ. */
function hasMember(set: Loose, member: string): boolean {
  const [element = ''] = member.split(' ');
  const parted = element.replace('icmp:ping', 'icmp:echo-request').replace(/:(\d+)-\d+/, ':$1');
  const first = String(set.type).startsWith('bitmap:') ? (parted.split('-')[0] ?? '') : parted;
  return looseList(set.members).some(
    ({ parts, comment, nomatch }) =>
      Array.isArray(parts) &&
      parts.join(',').toLowerCase() === first.toLowerCase() &&
      (!member.includes('comment "') || member.includes(`comment "${comment}"`)) &&
      nomatch === member.includes(' nomatch'),
  );
}

/** A monitor: each change that was made is told, by its verb and the name of what was changed. */
export const changes: Comparator = (truth, value, { text }) => {
  const told = objectsIn(value).filter(({ event, change }) => event !== undefined || change !== undefined);
  const said = told.map((event) => JSON.stringify(event)).join('\n');
  const commands = (Array.isArray(truth.changes) ? truth.changes : []).map(String);
  // Where the monitor died, the last changes are not told.
  const whole = text.endsWith('\n') ? commands : commands.slice(0, -1);
  return missing(
    whole.map((command) => {
      const name = /(?:-[AND]|chain \S+ \S+|set \S+ \S+|element \S+ \S+|table \S+) (\S+)/.exec(command)?.[1] ?? '';
      return [`not told: ${command}`, name === '' || said.includes(name)] as const;
    }),
  );
};

/** A traced packet: addresses, and where it ended. */
export const trace: Comparator = (truth, value) => {
  const [, from, to] = /(\S+) -> (\S+)$/.exec(String(truth.packet)) ?? [];
  const [, verdict, chain, table] = /^(\w+) in (\S+) of (\S+)$/.exec(String(truth.end)) ?? [];
  const objects = objectsIn(value);
  return missing([
    ['packet', from === undefined || objects.some(({ SRC, DST }) => SRC === from && DST === to)],
    ['end', chain === undefined || objects.some((step) => step.chain === chain && step.table === table && step.verdict === verdict)],
  ]);
};

/** `policy DROP, 1 rule` for each chain of ARP or bridged frames. */
export const linkLayer: Comparator = (truth, value) =>
  entriesOf(truth.arp ?? truth.bridge).flatMap(([name, words]) => {
    const [, policy] = /policy (\w+)/.exec(String(words)) ?? [];
    const count = Number(/(\d+) rules?/.exec(String(words))?.[1] ?? Number.NaN);
    const same = objectsIn(value).filter((chain) => chain.name === name && Array.isArray(chain.rules));
    return missing([
      [`no chain ${name}`, same.length > 0],
      [`${name}: policy`, policy === undefined || same.every((chain) => chain.policy === policy)],
      [`${name}: rules`, Number.isNaN(count) || same.every((chain) => looseList(chain.rules).length === count)],
    ]);
  });

/** Nothing was printed: no table may be claimed, and none be claimed to be missing. */
export const nothing: Comparator = (_truth, value) =>
  missing([['something is claimed', objectsIn(value).every(({ chains }) => chains === undefined)]]);

/** The tool refused: that it did is all that is known. */
export const refusal: Comparator = (_truth, value) => missing([['refusal', objectsIn(value).some(({ problem }) => problem !== undefined)]]);
