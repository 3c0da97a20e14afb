import { describe, expect, it } from 'vitest';
import { parseResolvConf, searchCandidates } from '../../src/parse/resolv-conf.ts';
import { holdsForAnyText } from './properties.ts';
import { sample, samplesLike } from './samples.ts';

const everything = parseResolvConf(sample('153-resolvconf-everything.txt'));

describe('parseResolvConf', () => {
  holdsForAnyText(parseResolvConf, samplesLike(/resolv/));

  it('uses the first three usable name servers, as glibc does', () => {
    expect(everything.value.nameservers.filter(({ used }) => used).map(({ address }) => address)).toEqual([
      '10.96.0.10',
      '10.100.0.53',
      'fe80::1%eth0',
    ]);
    expect(everything.value.nameservers.filter(({ used }) => !used).map(({ address }) => address)).toEqual(['2001:db8::53', '1.1.1.1.']);
  });
  it('takes the last of domain and search, whatever blanks stand between', () => {
    expect(everything.value.search?.domains).toEqual([
      'shop.svc.cluster.local',
      'svc.cluster.local',
      'cluster.local',
      'eu-west-1.compute.internal',
      'corp.example.com.',
      'example.com',
      'lan',
    ]);
  });
  it('caps ndots at 15 and lets the last value count', () => expect(everything.value.ndots).toBe(15));
  it('keeps what is ignored, with the reason', () => {
    expect(everything.value.ignored.map(({ text }) => text)).toEqual([
      'domain old.example.com',
      ' nameserver 9.9.9.9',
      'sortlist 10.0.0.0/255.0.0.0',
      'lookup file bind',
    ]);
    expect(everything.complete).toBe(true);
  });
  it('takes a file without a final newline', () => {
    const { value } = parseResolvConf(sample('155-resolvconf-long-search-no-final-newline.txt'));
    expect(value.nameservers.map(({ address, line }) => [address, line])).toEqual([
      ['169.254.20.10', 1],
      ['127.0.0.53', 4],
    ]);
    expect(value.search?.domains).toHaveLength(7);
    expect(value.notes.join('\n')).toMatch(/musl takes no notice.*\n?/);
  });
  it('does not call a file that could not be read an empty one', () => {
    const { complete, value } = parseResolvConf(sample('154-resolvconf-empty-and-absent.txt'));
    expect([complete, value.readErrors.length]).toEqual([false, 2]);
  });
  it('says that an empty file means 127.0.0.1', () => expect(parseResolvConf('').value.notes[0]).toMatch(/127\.0\.0\.1/));
});

describe('searchCandidates', () => {
  const pod = parseResolvConf(sample('rec-resolv-conf-wrong-server.txt')).value;
  const suffixes = ['default.svc.cluster.local.', 'svc.cluster.local.', 'cluster.local.'];

  it('searches a name with fewer dots than ndots before it asks it as it is', () => {
    expect(searchCandidates(pod, 'my-service')).toEqual([...suffixes.map((suffix) => `my-service.${suffix}`), 'my-service.']);
    expect(searchCandidates(pod, 'a.b.c.d.e')).toEqual([...suffixes.map((suffix) => `a.b.c.d.e.${suffix}`), 'a.b.c.d.e.']);
  });
  it('asks a name with ndots dots as it is first', () => expect(searchCandidates(pod, 'a.b.c.d.e.f')[0]).toBe('a.b.c.d.e.f.'));
  it('does not search a name with a final dot', () => expect(searchCandidates(pod, 'a.')).toEqual(['a.']));
  it('does not ask a single label at the root with no-tld-query', () => {
    expect(searchCandidates(parseResolvConf('search x\noptions no-tld-query\n').value, 'a')).toEqual(['a.x.']);
  });
  it('takes ndots 1 where no option says otherwise', () =>
    expect(searchCandidates(parseResolvConf('search x\n').value, 'a.b')).toEqual(['a.b.', 'a.b.x.']));
});
