/** Of each capture at most so much is kept, however many packets come in the seconds that are kept. */
const mostBytes = 4 * 1024 * 1024;
const fileHeader = 24;
const recordHeader = 16;
/** What a node's script prints around the capture, each with its nonce. */
const mark = Buffer.from('@@k8snet:');
const littleEndian = 0xd4c3b2a1;

/**
 * The last seconds of a capture that comes as a stream: the standard output of a script that says hello (one line), then hands over what `tcpdump -w -` writes,
 * and then its sections. Older packets are forgotten as new ones come, so that a capture of any length takes a bounded part of our memory and no file anywhere.
 */
export interface PacketRing {
  feed: (chunk: Uint8Array) => void;
  /** The capture's header came: libpcap had begun to capture before it was written. */
  isListening: () => boolean;
  /** From now on nothing is forgotten but for the bound of bytes. */
  hold: () => void;
  /** The kept packets as a capture file; empty where no capture began. */
  file: () => Uint8Array;
  /** What came after the capture: the script's sections. */
  tail: () => Uint8Array;
  /** Bytes that came so far. */
  received: () => number;
}

/** `now` in milliseconds. */
export function createPacketRing(keptMilliseconds: number, now: () => number): PacketRing {
  let state: 'hello' | 'header' | 'packets' | 'tail' = 'hello';
  let rest: Uint8Array = new Uint8Array();
  let header: Uint8Array = new Uint8Array();
  let records: { at: number; bytes: Uint8Array }[] = [];
  let kept = 0;
  let received = 0;
  let isHeld = false;
  const tail: Uint8Array[] = [];

  const forget = (): void => {
    const oldest = isHeld ? Number.NEGATIVE_INFINITY : now() - keptMilliseconds;
    const from = records.findIndex(({ at }) => at >= oldest);
    let gone = from < 0 ? records.length : from;
    for (const { bytes } of records.slice(0, gone)) kept -= bytes.byteLength;
    for (; kept > mostBytes && gone < records.length; gone += 1) kept -= records[gone]?.bytes.byteLength ?? 0;
    if (gone > 0) records = records.slice(gone);
  };

  /** Takes one piece from the front of what is there; undefined = more has to come first. */
  const take = (): number | undefined => {
    const buffer = Buffer.from(rest.buffer, rest.byteOffset, rest.byteLength);
    if (state === 'hello') {
      const end = buffer.indexOf('\n');
      if (end < 0) return undefined;
      state = 'header';
      return end + 1;
    }
    if (buffer.byteLength < recordHeader) return undefined;
    // A packet's time would have to be in 1999 for its record to begin like this.
    if (buffer.subarray(0, mark.length).equals(mark)) {
      state = 'tail';
      return 0;
    }
    if (state === 'header') {
      if (buffer.byteLength < fileHeader) return undefined;
      header = Uint8Array.from(buffer.subarray(0, fileHeader));
      state = 'packets';
      return fileHeader;
    }
    const view = new DataView(header.buffer);
    const length = view.getUint32(0) === littleEndian ? buffer.readUInt32LE(8) : buffer.readUInt32BE(8);
    if (buffer.byteLength < recordHeader + length) return undefined;
    records.push({ at: now(), bytes: Uint8Array.from(buffer.subarray(0, recordHeader + length)) });
    kept += recordHeader + length;
    return recordHeader + length;
  };

  return {
    feed: (chunk) => {
      received += chunk.byteLength;
      if (state !== 'tail') {
        rest = rest.byteLength === 0 ? chunk : Buffer.concat([rest, chunk]);
        for (let size = take(); size !== undefined; size = take()) {
          rest = rest.subarray(size);
          if ((state as string) === 'tail') break;
        }
        forget();
        if ((state as string) !== 'tail') return;
        tail.push(Uint8Array.from(rest));
        rest = new Uint8Array();
        return;
      }
      tail.push(Uint8Array.from(chunk));
    },
    isListening: () => state === 'packets' || (state === 'tail' && header.byteLength > 0),
    hold: () => {
      isHeld = true;
    },
    file: () => Buffer.concat([header, ...records.map(({ bytes }) => bytes)]),
    tail: () => Buffer.concat(tail),
    received: () => received,
  };
}
