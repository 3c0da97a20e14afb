import { homedir } from 'node:os';
import { join } from 'node:path';

/** The root of the image that test/cluster builds (Debian 13: nft 1.1.3, iproute2 6.15), whose tools are newer than those of Debian 12. */
export const image = join(process.env.BIN ?? join(homedir(), '.cache/k8snet-cluster'), 'rootfs');

/** Before a command, runs the image's. */
export const inImage = `chroot '${image}'`;
