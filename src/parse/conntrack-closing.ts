import { toCount } from './text-lines.ts';

/** The count of the closing message, of what was listed or (`-I`, `-U`, `-D`, which print what they did) changed. */
export const announcedCount = (text: string): number | undefined =>
  text.startsWith('conntrack v')
    ? toCount(
        /^conntrack v[0-9.]+ \(conntrack-tools\): ([0-9]+) (?:flow entries|expectations|flow events) have been (?:shown|created|updated|deleted)\.\s*$/.exec(
          text,
        )?.[1],
      )
    : undefined;
