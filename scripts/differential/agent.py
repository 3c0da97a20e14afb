"""The hands of the differential test in its network namespaces: runs commands in the router's, sends packets, and says what came out where.

Usage: agent.py ROUTER WORLD DEVICE... (names under /run/netns; devices of WORLD). One JSON request a line on stdin, one answer a line on stdout:
{"run": SCRIPT}                                   -> {"code", "out", "err"}, a shell script in the router's namespace; before it, connection
                                                     tracking is emptied
{"send": [{"device", "frame"}], "local": [{"packet", "from", "to", "mark"}], "quiet": SECONDS}
                                                  -> {"frames": [{"device", "frame"}], "local": [PACKET], "errors": [[INDEX, ERRNO]]}
Frames leave WORLD by a device; local packets are sent by the router itself with their own IP header. Answered are all frames that reached WORLD and
all packets that were delivered to a socket of the router, until nothing came for so long. All bytes are hexadecimal.
"""

import ctypes
import errno
import json
import os
import select
import socket
import struct
import subprocess
import sys
import time

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def enter(name):
    fd = os.open(f"/run/netns/{name}", os.O_RDONLY)
    if libc.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), f"cannot enter {name}")
    os.close(fd)


def packet_socket(device):
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    made.bind((device, 3))
    made.setblocking(False)
    return made


def raw_socket(family, protocol):
    made = socket.socket(family, socket.SOCK_RAW, protocol)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    made.setblocking(False)
    return made


def with_header(made, number):
    """IPv6 raw sockets give no header: it is made again from the addresses."""
    data, extra, _, sender = made.recvmsg(65535, 256)
    to = next(value[:16] for level, kind, value in extra if (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO))
    source = socket.inet_pton(socket.AF_INET6, sender[0].split("%")[0])
    return struct.pack(">IHBB", 6 << 28, len(data), number, 64) + source + to + data


def flush_conntrack():
    """IPCTNL_MSG_CT_DELETE without attributes (linux/netfilter/nfnetlink_conntrack.h): what `conntrack -F` sends."""
    netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
    netlink.send(struct.pack("=IHHII", 20, (1 << 8) | 2, 5, 1, 0) + bytes(4))
    netlink.recv(65536)
    netlink.close()


def run(script):
    flush_conntrack()
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
    return {"code": done.returncode, "out": done.stdout, "err": done.stderr}


class Lab:
    def __init__(self, router, world, devices):
        enter(world)
        self.wires = {device: packet_socket(device) for device in devices}
        enter(router)
        self.inner = [raw_socket(socket.AF_INET, number) for number in (1, 6, 17)]
        self.inner6 = {raw_socket(socket.AF_INET6, number): number for number in (58, 6, 17)}
        self.senders = {}

    def sender(self, address):
        """A socket for packets of one source: only a bound one has its packets routed by their source."""
        if address not in self.senders:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            self.senders[address] = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
            self.senders[address].bind((address, 0))
        return self.senders[address]

    def send(self, request):
        self.drain(0)
        errors = []
        for item in request.get("send", []):
            self.wires[item["device"]].send(bytes.fromhex(item["frame"]))
        for index, item in enumerate(request.get("local", [])):
            sender = self.sender(item["from"])
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, item["mark"])
            try:
                sender.sendto(bytes.fromhex(item["packet"]), (item["to"], 0))
            except OSError as error:
                errors.append([index, errno.errorcode.get(error.errno, str(error.errno))])
        frames, local = self.drain(request["quiet"])
        return {"frames": frames, "local": local, "errors": errors}

    def drain(self, quiet):
        frames, local = [], []
        names = {made.fileno(): name for name, made in self.wires.items()}
        sockets = [*self.wires.values(), *self.inner, *self.inner6]
        until = time.monotonic() + quiet
        while True:
            ready, _, _ = select.select(sockets, [], [], max(0, until - time.monotonic()))
            if not ready:
                return frames, local
            for made in ready:
                if made in self.inner6:
                    local.append(with_header(made, self.inner6[made]).hex())
                    continue
                data, address = made.recvfrom(65535)
                if made in self.inner:
                    local.append(data.hex())
                elif address[2] != socket.PACKET_OUTGOING:
                    frames.append({"device": names[made.fileno()], "frame": data.hex()})
            until = time.monotonic() + quiet


def main():
    router, world, *devices = sys.argv[1:]
    lab = Lab(router, world, devices)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(run(request["run"]) if "run" in request else lab.send(request)), flush=True)


if __name__ == "__main__":
    main()
